import {useState} from 'preact/hooks'
import {outcomeOf} from '../calls/replay-result.tsx'
import {confirm} from '../parts/confirm.tsx'
import {visible} from '../parts/safe-text.ts'
import {hrefOf} from '../state/route.ts'
import {isSending, sendReplays, sentNow} from './pins.ts'

const SPANS: readonly (readonly [text: string, seconds: number])[] = [
  ['10 seconds', 10],
  ['30 seconds', 30],
  ['minute', 60],
  ['5 minutes', 300]
]

/** Shows a form that sends the calls of the last seconds or minutes again. */
export function WindowForm() {
  const [seconds, setSeconds] = useState(30)
  const [q, setQ] = useState('')
  const [isPaced, setPaced] = useState(true)
  const [isUnsafe, setUnsafe] = useState(false)
  const send = (): void => {
    const from = new Date(Date.now() - seconds * 1000).toISOString()
    const pace = isPaced ? 'recorded' : 'answered'
    const go = (): void => void sendReplays({window: {from, q}, pace, unsafe: isUnsafe})
    if (!isUnsafe) return go()
    confirm({
      text: 'Send calls that may change something? Everything that matches is sent again, whatever its method.',
      yes: 'Send them',
      run: go
    })
  }
  return (
    <form
      class="tools window"
      aria-label="A window of calls"
      onSubmit={event => {
        event.preventDefault()
        send()
      }}
    >
      <label>
        Calls of the last{' '}
        <select value={seconds} onChange={event => setSeconds(Number(event.currentTarget.value))}>
          {SPANS.map(([text, each]) => (
            <option key={each} value={each}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <input
        type="search"
        aria-label="Which calls"
        placeholder="from:shop"
        value={q}
        onInput={event => setQ(event.currentTarget.value)}
      />
      <label>
        <input type="checkbox" checked={isPaced} onChange={event => setPaced(event.currentTarget.checked)} /> at their
        pace
      </label>
      <label>
        <input type="checkbox" checked={isUnsafe} onChange={event => setUnsafe(event.currentTarget.checked)} /> also
        POST, PUT …
      </label>
      <button type="submit" disabled={isSending.value}>
        {isSending.value ? 'Sending …' : 'Send again'}
      </button>
    </form>
  )
}

/** Shows the replays that were last sent from this page. */
export function SentNow() {
  const sent = sentNow.value
  if (sent.length === 0) return null
  return (
    <div class="pins box" role="region" aria-label="Sent now" tabIndex={0}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Call</th>
            <th scope="col">Request</th>
            <th scope="col">Way</th>
            <th scope="col">Answer</th>
          </tr>
        </thead>
        <tbody>
          {sent.map(view => (
            <tr key={`${view.call}-${view.replay}`}>
              <td>
                <a href={hrefOf('calls', [(view.replay || view.call).toString()])}>{view.replay || view.call}</a>
              </td>
              <th scope="row">
                <code>{`${view.method} ${visible(view.path)}`}</code>
              </th>
              <td>{visible(`${view.from} → ${view.to}`)}</td>
              <td class={view.after === null || view.after.status >= 500 ? 'bad' : ''}>{outcomeOf(view)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
