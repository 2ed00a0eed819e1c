// Counts a reply as its network counts it, so that nobody learns of a limit from a refusal.

const URL_PATTERN = /https?:\/\/[^\s]+/giu;
const URL_LENGTH = 23;
const X_LIGHT_RANGES = [[0, 4351], [8192, 8205], [8208, 8223], [8242, 8247]];
const EMOJI = /\p{Extended_Pictographic}|\p{Regional_Indicator}|\u{20E3}/u;

const graphemesOf = (text) =>
  'Segmenter' in Intl ? Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment) : Array.from(text);

const isLight = (point) => X_LIGHT_RANGES.some(([from, to]) => point >= from && point <= to);

/** twitter-text 3: a URL counts 23, an emoji 2, Latin and general punctuation 1, everything else 2. */
function countX(text) {
  const urls = text.match(URL_PATTERN) ?? [];
  let weight = urls.length * URL_LENGTH;
  for (const grapheme of graphemesOf(text.normalize('NFC').replace(URL_PATTERN, ''))) {
    if (EMOJI.test(grapheme)) weight += 2;
    else for (const letter of grapheme) weight += isLight(letter.codePointAt(0)) ? 1 : 2;
  }
  return weight;
}

function countMastodon(text) {
  return graphemesOf(text.replace(URL_PATTERN, 'x'.repeat(URL_LENGTH))).length;
}

const utf8 = new TextEncoder();
const RULES = {
  x: { limit: 280, count: countX },
  mastodon: { limit: 500, count: countMastodon },
  bluesky: { limit: 300, count: (text) => graphemesOf(text).length, byteLimit: 3000 },
};

/** `{left, limit}` for a network with a limit, null for one without. Private messages have limits of their own, unknown here. */
export function roomLeft(network, text, { isPrivate = false } = {}) {
  const rule = RULES[network];
  if (!rule || (isPrivate && network === 'x')) return null;
  const left = rule.limit - rule.count(text);
  if (!rule.byteLimit) return { left, limit: rule.limit };
  return { left: Math.min(left, rule.byteLimit - utf8.encode(text).length), limit: rule.limit };
}
