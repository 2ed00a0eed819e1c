// Starts Bluesky's PDS, PLC directory and AppView; answers on READY_PORT when all of them do.
import { createServer } from 'node:http';
import { TestNetwork } from '@atproto/dev-env';

const port = (name) => ({ port: Number(process.env[name]) });

await TestNetwork.create({
  dbPostgresSchema: 'peer_test',
  pds: port('PDS_PORT'),
  plc: port('PLC_PORT'),
  bsky: port('APPVIEW_PORT'),
});
createServer((request, answer) => answer.end('ready')).listen(Number(process.env.READY_PORT));
