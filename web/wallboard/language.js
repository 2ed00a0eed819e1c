// The wallboard's own words in the chosen language, before any other of its modules reads them.
import { speak, wearLanguage } from '../core/language.js';
import * as en from '../texts/en_wallboard.js';

speak(en);

export function wearWords() {
  wearLanguage();
}
