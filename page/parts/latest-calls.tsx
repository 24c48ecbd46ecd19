import {useEffect, useState} from 'preact/hooks'
import {listen, type CallRow} from '../state/run.ts'
import {bytes, duration, timeOfDay} from './format.ts'

const MAX_ROWS = 40

/** The calls that ended last. */
export function LatestCalls() {
  const [calls, setCalls] = useState<readonly CallRow[]>([])
  useEffect(
    () => listen('calls', ({calls: news}) => setCalls(before => [...news.toReversed(), ...before].slice(0, MAX_ROWS))),
    []
  )
  return (
    <div class="latest">
      <h2 id="latest-calls">Latest calls</h2>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="latest-calls">
        <table>
          <tbody>
            {calls.map(({number, at, from, to, method, path, status, isFailed, totalMs, responseBytes}) => (
              <tr key={number}>
                <td>{timeOfDay(at)}</td>
                <td>
                  {from} → {to}
                </td>
                <td class="wide">
                  <code>{`${method} ${path}`}</code>
                </td>
                <td class={isFailed ? 'bad' : ''}>
                  {isFailed && '✕ '}
                  {status === 0 ? '–' : status}
                </td>
                <td class="right">{duration(totalMs)}</td>
                <td class="right">{bytes(responseBytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {calls.length === 0 && <p class="empty">No call has ended since this page was opened.</p>}
      </div>
    </div>
  )
}
