// What the address says: the token of a display, which workgroups, and limits that differ from the usual ones.
const USUAL_LOAD_PERCENT = 85;
const USUAL_TALK_S = 30 * 60;

const said = new URLSearchParams(location.hash.replace(/^#/, ''));
const number = (name, usual) => {
  const value = Number(said.get(name));
  return said.has(name) && value > 0 ? value : usual;
};

export const token = said.get('token') ?? '';
/** Ids; none means all that may be seen. */
export const wanted = (said.get('workgroups') ?? '').split(',').filter(Boolean);
/** `waiting`: null means as many as agents are on queue. */
export const limits = { waiting: number('waiting', null), load_percent: number('load', USUAL_LOAD_PERCENT), talk_ms: 1000 * number('talk_s', USUAL_TALK_S) };
