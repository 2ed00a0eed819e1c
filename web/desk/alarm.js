// Makes an offer noticed by who looks elsewhere: the title, a short sound, a notification if allowed. The focus stays.
import { effect } from '../core/html.js';
import { customerName, networkName } from '../core/format.js';
import { preferences } from '../core/settings.js';
import { isLeaderTab } from '../state/live.js';
import { mine, myOffer, offers } from '../state/store.js';
import { DESK } from '../texts/en.js';

const rung = new Set();
let audio = null;

function beep() {
  // Browsers refuse sound, with a warning, before the first click.
  if (!preferences.value.sound || !navigator.userActivation?.hasBeenActive) return;
  audio = audio ?? new AudioContext();
  const gain = audio.createGain();
  gain.gain.setValueAtTime(0.08, audio.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + 0.5);
  gain.connect(audio.destination);
  for (const [frequency, delay_s] of [[660, 0], [880, 0.12]]) {
    const tone = audio.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(gain);
    tone.start(audio.currentTime + delay_s);
    tone.stop(audio.currentTime + delay_s + 0.18);
  }
}

export const mayNotify = () => 'Notification' in globalThis && Notification.permission === 'granted';
export const allowNotifications = () => 'Notification' in globalThis && Notification.requestPermission();

// No words of the customer: a notification may show on a locked screen.
function notify(conversation) {
  if (!mayNotify() || !document.hidden) return;
  const notification = new Notification(DESK.notification, {
    body: DESK.offerOn(customerName(conversation.customer), networkName(conversation.network)), tag: myOffer(conversation).id,
  });
  notification.onclick = () => {
    focus();
    notification.close();
  };
}

export function startAlarm() {
  effect(() => {
    const unanswered = mine.value.filter((conversation) => conversation.state === 'connected' && conversation.unanswered_count > 0).length;
    const count = offers.value.length + unanswered;
    document.title = `${count ? `(${count}) ` : ''}${offers.value.length ? DESK.offerTitle : ''}Parley`;
    const ids = new Set(offers.value.map((conversation) => myOffer(conversation).id));
    for (const id of rung) if (!ids.has(id)) rung.delete(id);
    for (const conversation of offers.value) {
      const { id } = myOffer(conversation);
      if (rung.has(id)) continue;
      rung.add(id);
      if (!isLeaderTab()) continue;
      beep();
      notify(conversation);
    }
  });
}
