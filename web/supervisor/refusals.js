// A refusal as the server words it, with names in place of ids and words in place of codes.
import { agentName, channelName, workgroupName } from '../state/store.js';
import { WHY } from '../texts/en_floor.js';

const IDS = /\b(ag|wg|ch)_[0-9a-f]{8,}\b/g;
const NAMES = { ag: agentName, wg: workgroupName, ch: channelName };
const CODES = new RegExp(`\\b(${Object.keys(WHY.reasons).filter((code) => code.includes('_')).join('|')})\\b`, 'g');

export const readable = (problem) => (problem.detail || problem.title || '')
  .replace(IDS, (id, kind) => NAMES[kind](id))
  .replace(CODES, (code) => WHY.reasons[code][0]);
