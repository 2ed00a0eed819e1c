// From nothing to a post that reaches an agent: what is done, what comes next.
import { get } from '../core/api.js';
import { html, useEffect, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { STEPS } from '../texts/en_administration.js';
import { Copyable } from './copying.js';
import { hrefOf } from './guard.js';
import { curlFor } from './listening_panels.js';
import { refresh, rowsOf } from './rows.js';

const LOOK_EVERY_MS = 4000;

const isStaff = (agent) => agent.enabled && agent.roles.includes('agent');

/** Step by step, whether it is done, and where it is done. */
function stepsOf(hasConversation) {
  const [accounts, groups, channels] = ['accounts', 'workgroups', 'channels'].map(rowsOf);
  const served = new Set(channels.filter((row) => row.enabled).map((row) => row.workgroup_id));
  const staff = rowsOf('agents').filter(isStaff);
  const members = staff.filter((agent) => agent.workgroups.some((id) => served.has(id) || channels.length === 0));
  const lonely = staff.length > 0 && members.length === 0;
  return [
    { name: 'account', isDone: accounts.some((row) => row.missing_settings.length === 0), href: hrefOf('accounts', accounts.find((row) => row.missing_settings.length)?.id ?? 'new') },
    { name: 'workgroup', isDone: groups.length > 0, href: hrefOf('workgroups', 'new') },
    { name: 'channel', isDone: served.size > 0, href: hrefOf('channels', channels.find((row) => !row.enabled)?.id ?? 'new') },
    { name: 'agent', isDone: members.length > 0, href: lonely ? hrefOf('workgroups', [...served][0] ?? groups[0]?.id ?? 'new') : hrefOf('agents', 'new'), says: lonely ? STEPS.lonely : null },
    { name: 'queue', isDone: members.some((agent) => agent.routing_status === 'on_queue'), href: hrefOf('agents', members[0]?.id ?? 'new'), says: members.length ? STEPS.queueSays(members[0].name) : null },
    { name: 'post', isDone: hasConversation, href: null },
  ];
}

function Step({ step, isNext }) {
  const words = STEPS.steps[step.name];
  const channel = rowsOf('channels').find((row) => row.enabled);
  return html`
    <li class="step ${step.isDone ? 'done' : isNext ? 'next' : ''}" aria-current=${isNext ? 'step' : undefined}>
      <span class="step-mark"><${Icon} name=${step.isDone ? 'tick' : isNext ? 'play' : 'clock'} /><span class="unseen">${step.isDone ? STEPS.done : isNext ? STEPS.next : STEPS.later}</span></span>
      <div><h3>${words.title}</h3><p class="hint">${step.says ?? words.what}</p>
        ${isNext && step.href && html`<a class="button primary" href=${step.href}>${words.go}</a>`}
        ${isNext && step.name === 'post' && channel && html`<${Copyable} label=${words.title} text=${curlFor(channel)} /><p class="hint">${STEPS.key}</p>`}</div>
    </li>`;
}

export function FirstSteps() {
  const [hasConversation, setHas] = useState(false);
  const steps = stepsOf(hasConversation);
  const next = steps.find(({ isDone }) => !isDone);
  useEffect(() => {
    const look = () => {
      get('/conversations?limit=1').then(({ items }) => setHas(items.length > 0), () => {});
      refresh(['accounts', 'workgroups', 'channels', 'agents']);
    };
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return html`
    <section class="first-steps" aria-labelledby="steps-title"><h2 id="steps-title">${next ? STEPS.title : STEPS.allDone}</h2>
      <p class="hint">${next ? STEPS.what : STEPS.allDoneHint}</p>
      <ol class="steps">${steps.map((step) => html`<${Step} key=${step.name} step=${step} isNext=${step === next} />`)}</ol>
    </section>`;
}
