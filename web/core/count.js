// Counts a text as its network counts it, so that nobody learns of a limit from a refusal.
// `connectors/lengths.py` counts the same; both are held to `tests/connectors/lengths.json`.

const X_LIGHT = [[0, 4351], [8192, 8205], [8208, 8223], [8242, 8247]];
const GSM7 = new Set('@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà');
const GSM7_ESCAPED = new Set('\f^{}\\[~]|€');
const SINGLE_SMS = 160, SMS_OF_SEVERAL = 153, SINGLE_UCS2 = 70, UCS2_OF_SEVERAL = 67;

const ACCENTED = String.raw`\xC0-\xD6\xD8-\xF6\xF8-\u024F\u02BB\u0300-\u036F\u1E00-\u1EFF`;
const HOST = String.raw`[^!'#%&()*+,\-.\/:;<=>?@\[\]\^_\{\|\}~$\\\s\u180E\uFFFE\uFEFF\uFFFF\u200E\u200F\u061C]`;
const LABEL = String.raw`${HOST}(?:(?:${HOST}|[_\-]){0,61}${HOST})?\.`;
const PLAIN_LABEL = String.raw`[a-z0-9${ACCENTED}](?:[\-a-z0-9${ACCENTED}]{0,61}[a-z0-9${ACCENTED}])?\.`;
const ENDING = String.raw`(?![0-9a-z@+\-])`;
const GENERIC = 'academy|agency|app|art|bank|berlin|biz|blog|business|care|cat|center|chat|city|cloud|club'
  + '|coffee|com|community|company|cool|coop|deals|design|dev|digital|edu|email|energy|events|expert'
  + '|fashion|finance|fit|fun|fund|games|global|gmbh|gov|group|guide|health|help|host|hotel|info|int'
  + '|international|jobs|land|legal|life|link|live|loan|london|love|ltd|market|marketing|media|mil'
  + '|mobi|money|museum|name|net|network|news|nyc|one|online|org|paris|page|partners|photo|photos'
  + '|plus|press|pro|radio|rocks|run|sale|school|science|services|shop|show|site|social|software'
  + '|solutions|space|sport|store|stream|studio|style|support|systems|team|tech|technology|tel'
  + '|today|tools|top|tours|town|training|travel|tube|video|vip|website|wiki|wine|work|works|world'
  + '|xyz|zone';
const PATH = String.raw`[a-z\u0400-\u04FF0-9!*';:=+,.$\/%#\[\]\-\u2013_~@\|&${ACCENTED}]`;
const PATH_END = String.raw`[a-z\u0400-\u04FF0-9=_#\/+\-${ACCENTED}]`;
const PARENS = String.raw`\((?:${PATH}+|${PATH}*\(${PATH}+\)${PATH}*)\)`;
const TAIL = String.raw`(?::[0-9]+)?(?:\/(?:(?:${PATH}|${PARENS})*(?:${PATH_END}|${PARENS}))?)?(?:\?[a-z0-9!?*'@();:&=+$\/%#\[\]\-_.,~\|]*[a-z0-9\-_&=#\/])?`;
const BEFORE = String.raw`(?<![A-Za-z0-9@\uFF20$#\uFF03\uFFFE\uFEFF\uFFFF])`;
const WITH_PROTOCOL = String.raw`https?:\/\/(?:${LABEL}){1,20}(?:[a-z]{2,24}|xn--[\-0-9a-z]+|\p{L}{2,24})`;
const WITHOUT = String.raw`(?<![\-_.\/])(?:${PLAIN_LABEL}){1,20}(?:${GENERIC}|[a-z]{2}|xn--[\-0-9a-z]+)`;
const LINK = new RegExp(`${BEFORE}${WITH_PROTOCOL}${ENDING}${TAIL}`, 'giu');
const X_LINK = new RegExp(`${BEFORE}(?:${WITH_PROTOCOL}|${WITHOUT})${ENDING}${TAIL}`, 'giu');
const MENTION = /(?<![\p{L}\p{N}_/])@([\p{L}\p{N}_]+(?:[.\-]+[\p{L}\p{N}_]+)*)(@[\p{L}\p{N}_.\-]*[\p{L}\p{N}_])?/gu;
const EMOJI = /^(?:[#*0-9]\uFE0F?\u20E3|\p{Regional_Indicator}{2}|[\u00A9\u00AE\u2122\u265F]\uFE0F|(?![\u00A9\u00AE\u2122\u265F])\p{Extended_Pictographic}(?!\uFE0E))/u;

const utf8 = new TextEncoder();
const bytes = (text) => utf8.encode(text).length;
const graphemesOf = (text) =>
  'Segmenter' in Intl ? Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment) : Array.from(text);
const isLight = (letter) => X_LIGHT.some(([from, to]) => letter.codePointAt(0) >= from && letter.codePointAt(0) <= to);

function weight(text) {
  let sum = 0;
  for (const grapheme of graphemesOf(text)) {
    if (EMOJI.test(grapheme)) sum += 2;
    else for (const letter of grapheme) sum += isLight(letter) ? 1 : 2;
  }
  return sum;
}

/** twitter-text 3: a link counts as one of `link_length`, an emoji 2, others by their script. */
function countX(text, { link_length }) {
  const normal = text.normalize('NFC');
  let sum = 0, rest = 0;
  for (const link of normal.matchAll(X_LINK)) {
    sum += link_length + weight(normal.slice(rest, link.index));
    rest = link.index + link[0].length;
  }
  return sum + weight(normal.slice(rest));
}

function countMastodon(text, { link_length }) {
  const links = (text.match(LINK) ?? []).length;
  return graphemesOf(text.replace(LINK, ' ').replace(MENTION, '@$1')).length + links * (link_length - 1);
}

function segments(sizes, single, ofSeveral) {
  if (sizes.reduce((sum, size) => sum + size, 0) <= single) return 1;
  let count = 1, room = ofSeveral;
  for (const size of sizes) {
    if (size > room) {
      count += 1;
      room = ofSeveral;
    }
    room -= size;
  }
  return count;
}

function countSms(text) {
  const letters = Array.from(text);
  if (letters.length === 0) return 0;
  if (letters.every((letter) => GSM7.has(letter) || GSM7_ESCAPED.has(letter))) {
    return segments(letters.map((letter) => (GSM7_ESCAPED.has(letter) ? 2 : 1)), SINGLE_SMS, SMS_OF_SEVERAL);
  }
  return segments(letters.map((letter) => letter.length), SINGLE_UCS2, UCS2_OF_SEVERAL);
}

const COUNTERS = {
  characters: (text) => Array.from(text).length,
  utf16_units: (text) => text.length,
  graphemes: (text) => graphemesOf(text).length,
  bytes,
  x_weighted: countX,
  mastodon: countMastodon,
  sms_segments: countSms,
};

/** How long a text is by a rule `{unit, link_length}` as the API tells it. */
export const lengthOf = (text, rule) => (COUNTERS[rule.unit] ?? COUNTERS.characters)(text, rule);

/** What is left of a rule `{unit, limit, link_length, limit_bytes}`; below zero, the text is too long for one post. */
export function roomLeft(text, rule) {
  const left = rule.limit - lengthOf(text, rule);
  return rule.limit_bytes ? Math.min(left, rule.limit_bytes - bytes(text)) : left;
}
