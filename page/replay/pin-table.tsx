import type * as Api from '../../src/model/api.generated.ts'
import {outcomeOf} from '../calls/replay-result.tsx'
import {sendOrAsk} from '../calls/send-or-ask.ts'
import {timeOfDay} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import {mayChange} from '../state/api.ts'
import {hrefOf, parameter} from '../state/route.ts'
import {isSending, sendReplays, unpin} from './pins.ts'

/** The number of rounds shown, the latest ones, as columns. */
const MAX_ROUNDS = 8

const causeOf = ({kind, app, files}: Api.Round): string =>
  kind === 'saved' ? `${app}: ${files.join(', ')}` : kind === 'pinned' ? 'pinned' : 'sent by hand'

/** Shows the pinned calls, and how each was answered in the latest rounds: after a save, when pinned, or sent by hand. */
export function PinTable({known: {pins, rounds}}: {readonly known: Api.Pins}) {
  const shown = rounds.slice(-MAX_ROUNDS)
  return (
    <div class="pins box" role="region" aria-label="Pinned calls" tabIndex={0}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Pinned call</th>
            <th scope="col">Way</th>
            <th scope="col">Latest</th>
            {shown.map(round => (
              <th key={round.number} scope="col">
                {timeOfDay(round.at).slice(0, 8)} <small>{visible(causeOf(round))}</small>
              </th>
            ))}
            {mayChange && <th scope="col">Actions</th>}
          </tr>
        </thead>
        <tbody>
          {pins.map(pin => (
            <PinRow key={pin.call} pin={pin} rounds={shown} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function PinRow({pin, rounds}: {readonly pin: Api.Pin; readonly rounds: readonly Api.Round[]}) {
  const {call, method, path, from, to, before, results} = pin
  const send = (): void => sendOrAsk(pin, async unsafe => sendReplays({calls: [call], unsafe}))
  return (
    <tr>
      <th scope="row">
        <a href={hrefOf('calls', [call.toString()])}>
          <code>{`${method} ${visible(path)}`}</code>
        </a>
      </th>
      <td>{visible(`${from} → ${to}`)}</td>
      <td class={before.status >= 500 || before.status === 0 ? 'bad' : ''}>{before.status || 'none'}</td>
      {rounds.map(({number}) => {
        const result = results.find(({round}) => round === number)
        if (result === undefined) return <td key={number} />
        const {after, differ} = result.replay
        const isCurrent = parameter('call') === call.toString() && parameter('round') === number.toString()
        return (
          <td key={number} class={after === null || after.status >= 500 ? 'bad' : differ > 0 ? 'changed' : ''}>
            <a
              href={hrefOf('replay', [], {call: call.toString(), round: number.toString()})}
              aria-current={isCurrent ? 'true' : undefined}
            >
              {outcomeOf(result.replay)}
            </a>
          </td>
        )
      })}
      {mayChange && (
        <td>
          <div class="tools">
            <button type="button" aria-label={`Send call ${call}`} disabled={isSending.value} onClick={send}>
              Send
            </button>
            <button type="button" aria-label={`Unpin call ${call}`} onClick={() => void unpin(call)}>
              Unpin
            </button>
          </div>
        </td>
      )}
    </tr>
  )
}
