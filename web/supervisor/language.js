// The floor's own words in the chosen language, before any other of its modules reads them.
import { speak } from '../core/language.js';
import * as en from '../texts/en_floor.js';

speak(en);

export const isSpoken = true;
