// The words of the chosen language, put over the English ones before any other module reads them.
import * as en from '../texts/en.js';
import { preferences } from './settings.js';

/** One line per language. What a language does not say is said in English. */
const LANGUAGES = {
  en: { name: 'English', texts: {}, dir: 'ltr' },
  // Made up, to see what is not translated and what breaks when it is longer or written from right to left.
  xx: { texts: pseudo(en), dir: 'ltr', lang: 'en' },
  xr: { texts: pseudo(en), dir: 'rtl', lang: 'en' },
};

/** `[code, name]` of each language that people may choose. */
export const languages = Object.entries(LANGUAGES).filter(([, { name }]) => name).map(([code, { name }]) => [code, name]);

function chosenCode() {
  const wanted = [preferences.value.language, ...(navigator.languages ?? [navigator.language])];
  for (const tag of wanted) {
    const code = String(tag).split('-')[0];
    if (code in LANGUAGES && (LANGUAGES[code].name || tag === preferences.value.language)) return code;
  }
  return 'en';
}

const code = chosenCode();
const { texts, dir, lang = code } = LANGUAGES[code];

/** What dates and numbers are written in: the reader's own variety of the language, where there is one. */
export const locale = (navigator.languages ?? []).find((tag) => tag.split('-')[0] === lang) ?? lang;

function layOver(area, words) {
  for (const [name, said] of Object.entries(words)) {
    const isGroup = said !== null && typeof said === 'object' && !Array.isArray(said);
    if (isGroup && name in area) layOver(area[name], said);
    else area[name] = said;
  }
}

for (const [area, words] of Object.entries(texts)) if (area in en) layOver(en[area], words);

/** Lays the language over a further file of English words, which only one page reads. */
export function speak(areas) {
  const said = code.startsWith('x') ? pseudo(areas) : texts;
  for (const [area, words] of Object.entries(said)) if (area in areas) layOver(areas[area], words);
}

/** Says on the document which language it is in, and which way it is written. */
export function wearLanguage() {
  Object.assign(document.documentElement, { lang, dir });
}

/** A text that can be read but is no English: longer, with marks, in brackets. */
function pseudo(said) {
  if (typeof said === 'string') return said && `⟦${said.replace(/[aeou]/g, (letter) => ({ a: 'á', e: 'ē', o: 'ö', u: 'ü' })[letter])}⟧`;
  if (typeof said === 'function') return (...given) => pseudo(said(...given));
  if (Array.isArray(said)) return said.map(pseudo);
  if (said !== null && typeof said === 'object') return Object.fromEntries(Object.entries(said).map(([name, part]) => [name, pseudo(part)]));
  return said;
}
