import type * as Api from '../../src/model/api.generated.ts'
import {announce} from '../parts/announce.tsx'
import {visible} from '../parts/safe-text.ts'
import {attempt} from '../parts/strips.tsx'
import {api, mayChange} from '../state/api.ts'
import {faults} from '../state/faults.ts'
import {hrefOf} from '../state/route.ts'

/** Requests a change of the faults; returns whether the run made it, and shows why at the top of the page if not. */
export async function change(text: string, request: () => Promise<unknown>): Promise<boolean> {
  const isDone = (await attempt(request)) !== undefined
  if (isDone) announce(text)
  return isDone
}

export const remove = async ({number}: Api.Fault): Promise<boolean> =>
  change(`fault ${number} is off`, async () => api.ask('DELETE /faults/{number}', {at: {number}}))

/** The most common faults. */
const QUICK = [
  {text: 'Fail half', keys: {status: 503, rate: 0.5}},
  {text: 'Fail all', keys: {status: 503}},
  {text: 'Slow by 2 s', keys: {delay: '2s'}}
] as const

/** Shows a button for each common fault of the calls to an app, and one that removes each enabled fault of these calls. */
export function QuickFaults({from = 'any', to}: {readonly from?: string; readonly to: string}) {
  if (!mayChange) return null
  const calls = `calls ${from === 'any' ? '' : `from ${from} `}to ${to}`
  const on = faults.value.filter(fault => fault.from === from && fault.to === to && fault.isEnabled)
  return (
    <div class="tools" role="group" aria-label={`Faults of ${calls}`}>
      {QUICK.map(({text, keys}) => (
        <button
          key={text}
          type="button"
          class="once"
          title={`${text}: ${calls}`}
          onClick={() =>
            void change(`${text}: ${calls}`, async () => api.ask('POST /faults', {body: {from, to, ...keys}}))
          }
        >
          {text}
        </button>
      ))}
      <a class="button" href={hrefOf('faults', [], {from, to})}>
        Fault …
      </a>
      {on.map(fault => (
        <span key={fault.number}>
          ⚡ {visible([fault.texts.effect, fault.texts.rate].filter(text => text !== '').join(', '))}{' '}
          <button type="button" aria-label={`Remove fault ${fault.number}`} onClick={() => void remove(fault)}>
            Remove
          </button>
        </span>
      ))}
    </div>
  )
}
