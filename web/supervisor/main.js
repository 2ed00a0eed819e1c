// What the desk brings when it is first wanted: the floor, what is done to others' work, why somebody was chosen.
export { isSpoken } from './language.js';
export { askFor } from './bulk.js';
export { Why } from './decision.js';
export { Floor } from './floor.js';
