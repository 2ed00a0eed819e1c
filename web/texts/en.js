// English: what the desk says of replies, drafts, canned replies, onlookers and channels. One such file is one language.

export const CHANGES = {
  edit: { pending: 'an edit is on its way', done: 'edited', refused: 'the edit was refused' },
  delete: { pending: 'a deletion is on its way', done: 'deleted on the network', refused: 'the deletion was refused' },
};

export const REPLY = {
  undo: (left_s) => `Undo, ${left_s} s left`,
  edit: 'Edit',
  remove: 'Delete',
  editTitle: 'Edit what was said',
  editLabel: 'What it is to say instead',
  editHint: 'The network gets the new words in a moment. Who has read the old ones has read them.',
  editSubmit: 'Change it',
  removeTitle: 'Delete what was said',
  removeHint: (network) => `It is taken off ${network} for everybody. Here it stays in the history.`,
  removeSubmit: 'Delete it there',
  unreachable: 'The server does not answer. Nothing was changed; try again.',
  wanted: { pending: 'It is to say:', refused: 'It was to say:' },
  partsSent: (sent, all) => (sent === all ? `${all} posts, all sent` : `${sent} of ${all} posts sent`),
  part: (number, all) => `post ${number} of ${all}`,
};

export const POST = {
  edited: 'edited',
  deleted: 'deleted',
  gone: 'The customer deleted this post. Its words are gone.',
  earlier: (count) => (count === 1 ? 'What it said before' : `What it said before, ${count} times`),
  until: 'until',
  changed: { edited: 'the customer edited a post', deleted: 'the customer deleted a post' },
};

export const DRAFT = {
  lost: 'Not saved: the server did not take the draft. The words are still in this window, and it is tried again.',
  conflict: 'Another window has a different draft:',
  stay: 'Keep what is here',
  take: 'Take that one',
  somePost: 'a post',
};

export const CANNED = {
  label: 'Canned replies',
  what: 'Canned reply',
  found: (count) => (count === 1 ? '1 canned reply' : `${count} canned replies`),
  missing: (names) => `Nothing is known for ${names.map((name) => name.replaceAll('_', ' ')).join(', ')}: look at the words before you send them.`,
};

export const ONLOOKERS = {
  and: ', ',
  more: (count) => `${count} more`,
  typing: (names, count) => `${names} ${count === 1 ? 'is' : 'are'} typing here`,
  looking: (names, count) => `${names} ${count === 1 ? 'looks' : 'look'} at this too`,
};

export const CHANNELS = {
  title: 'Channels',
  agents: 'Agents',
  below: 'Agents and channels',
  onQueue: (count, all) => `${count} of ${all} on queue`,
  well: (count) => (count ? `${count} healthy` : 'none'),
  troubled: (count) => (count === 1 ? '1 in trouble' : `${count} in trouble`),
  health: {
    healthy: 'healthy', degraded: 'degraded', down: 'down', limited: 'told to wait', unauthorised: 'credentials refused', off: 'switched off',
  },
  columns: [
    { name: 'channel' }, { name: 'health' }, { name: 'for', isNumber: true }, { name: 'what the network said' }, { name: 'workgroup' },
    { name: 'caught up', isNumber: true },
  ],
  nothing: '–',
  caughtUpTitle: 'When nothing more was waiting there',
  ago: (time) => `${time} ago`,
  none: 'There is no channel yet.',
};
