// How an account and its channels do: health, where the network sends to, how a post gets in without a network.
import { get } from '../core/api.js';
import { now } from '../core/clock.js';
import { html, useEffect, useState } from '../core/html.js';
import { Icon } from '../core/icons.js';
import { clockTime, roughSpan, shortDay, toMs } from '../core/format.js';
import { CHANNELS } from '../texts/en_floor.js';
import { PANELS } from '../texts/en_administration.js';
import { Copyable } from './copying.js';
import { hrefOf } from './guard.js';
import { rowOf, rowsOf } from './rows.js';

const healthOf = (channel) => (channel.enabled ? channel.health : 'off');
const ago = (time) => CHANNELS.ago(roughSpan(now.value - toMs(time)));

function Health({ channel }) {
  const health = healthOf(channel);
  const isWell = health === 'healthy';
  return html`<span class="health ${isWell ? 'well' : health === 'off' ? '' : 'bad'}"><${Icon} name=${isWell ? 'tick' : health === 'off' ? 'pause' : 'warning'} />${CHANNELS.health[health] ?? health}</span>
    ${channel.health_since && html`<span class="hint">${ago(channel.health_since)}</span>`}`;
}

const takesWebhooks = (network) => (rowOf('networks', network) ?? rowOf('networks', 'webhook'))?.capabilities.deliveries.includes('webhook');
const deliveryAddress = (channel) => `${location.origin}/api/v1/channels/${channel.id}/deliveries`;

function Budget({ account }) {
  const [budget, setBudget] = useState(null);
  useEffect(() => {
    get('/budgets').then(({ items }) => setBudget(items.find((one) => one.account_id === account.id)), () => setBudget(null));
  }, [account.id]);
  if (!budget?.allowances.length) return null;
  return html`<h4>${PANELS.budget}</h4><ul class="lines">${budget.allowances.map(({ name, calls, per_s: per, used_percent: used }) => html`
    <li key=${name}>${CHANNELS.allowance(name, used, calls, roughSpan(per * 1000))}</li>`)}</ul>
    ${budget.waits_until && html`<p class="hint">${CHANNELS.waitsUntil(clockTime(budget.waits_until))}</p>`}`;
}

export function AccountPanel({ row }) {
  const channels = rowsOf('channels').filter((channel) => channel.account_id === row.id);
  return html`
    <section class="panel" aria-labelledby="account-channels"><h3 id="account-channels">${PANELS.channels}</h3>
      ${row.secrets_trouble && html`<p class="notice bad"><${Icon} name="warning" />${row.secrets_trouble}</p>`}
      ${row.missing_settings.length > 0 && html`<p class="notice"><${Icon} name="warning" />${PANELS.missing(row.missing_settings)}</p>`}
      ${channels.length === 0 && html`<p class="hint">${PANELS.noChannelOfAccount} <a href=${hrefOf('channels', 'new')}>${PANELS.newChannel}</a></p>`}
      <ul class="lines">${channels.map((channel) => html`<li key=${channel.id}><a href=${hrefOf('channels', channel.id)}><bdi>${channel.name}</bdi></a> <${Health} channel=${channel} />
        ${channel.health_detail && html`<p class="hint" dir="auto">${channel.health_detail}</p>`}</li>`)}</ul>
      ${takesWebhooks(row.network) && channels.length > 0 && html`<h4>${PANELS.webhook}</h4><p class="hint">${PANELS.webhookHint}</p>
        ${channels.map((channel) => html`<${Copyable} key=${channel.id} label=${PANELS.webhookOf(channel.name)} text=${deliveryAddress(channel)} />`)}`}
      <${Budget} account=${row} />
    </section>`;
}

/** A post as any program may bring it; whoever copies it has the key in a variable. */
export function curlFor(channel) {
  const post = JSON.stringify({ posts: [{ external_id: '1001', author: { external_id: 'c7', handle: 'blue_kettle' }, text: 'Where is my order?' }] });
  return `curl -fsS --oauth2-bearer "$KEY" -H 'Content-Type: application/json' \\\n  ${location.origin}/api/v1/channels/${channel.id}/posts -d '${post}'`;
}

export function ChannelPanel({ row }) {
  const account = rowOf('accounts', row.account_id);
  const health = healthOf(row);
  return html`
    <section class="panel" aria-labelledby="channel-health"><h3 id="channel-health">${PANELS.health}</h3>
      <p><${Health} channel=${row} /></p>
      ${row.health_detail && html`<p dir="auto">${row.health_detail}</p>`}
      ${CHANNELS.next[health] && html`<p class="hint">${CHANNELS.next[health]}</p>`}
      <dl class="facts"><div><dt>${PANELS.caughtUp}</dt><dd>${row.caught_up_at ? `${shortDay(row.caught_up_at)} ${clockTime(row.caught_up_at)}` : PANELS.never}</dd></div>
        <div><dt>${PANELS.leftOut}</dt><dd>${row.left_out}</dd></div></dl>
      ${account && takesWebhooks(account.network) && html`<h4>${PANELS.webhook}</h4><p class="hint">${PANELS.webhookHint}</p><${Copyable} label=${PANELS.webhookOf(row.name)} text=${deliveryAddress(row)} />`}
      <h4>${PANELS.door}</h4><p class="hint">${PANELS.doorHint}</p><${Copyable} label=${PANELS.door} text=${curlFor(row)} />
    </section>`;
}
