// This page's own words in the chosen language, before any other of its modules reads them.
import { speak, wearLanguage } from '../core/language.js';
import { isSpoken } from '../supervisor/language.js';
import * as en from '../texts/en_administration.js';

speak(en);

export function wearWords() {
  if (isSpoken) wearLanguage();
}
