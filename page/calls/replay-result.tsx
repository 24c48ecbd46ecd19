import type * as Api from '../../src/model/api.generated.ts'
import {duration} from '../parts/format.ts'
import {visible} from '../parts/safe-text.ts'
import {hrefOf} from '../state/route.ts'

const statusOf = (status: number): string => (status === 0 ? 'no response' : status.toString())

/** Returns the outcome of a replay as `500 → 200`, `200 =` or `200 ≠ 2 differences`. */
export function outcomeOf({before, after, differ, refusal}: Api.Replay): string {
  if (after === null) return refusal.replace(/^call \d+ is not sent again: /, '– ')
  // bodies of responses with different statuses are not worth comparing
  if (before.status !== after.status) return `${statusOf(before.status)} → ${statusOf(after.status)}`
  const differences = `≠ ${differ} ${differ === 1 ? 'difference' : 'differences'}`
  return `${statusOf(after.status)} ${differ === 0 ? '=' : differences}`
}

/** Shows the result of a call that was sent again. */
export function ReplayResult({replay}: {readonly replay: Api.Replay}) {
  const {replay: number, before, after, hint} = replay
  const isWorse = after === null || after.status === 0 || after.status >= 500
  return (
    <div class="result box" role="group" aria-label="Sent again">
      <p>
        <b class={isWorse ? 'bad' : 'good'}>{outcomeOf(replay)}</b>
        {after !== null && `, ${duration(before.ms)} → ${duration(after.ms)}`}
        {number > 0 && (
          <>
            , as <a href={hrefOf('calls', [number.toString()])}>call {number}</a>
          </>
        )}
      </p>
      {hint !== '' && <p class="soft">{hint}</p>}
      {after !== null && after.failure !== '' && <p class="bad">{visible(after.failure)}</p>}
      <Differences replay={replay} />
    </div>
  )
}

/** Shows the fields that differ, before and after. */
export function Differences({replay: {differences, differ, leftOut}}: {readonly replay: Api.Replay}) {
  return (
    <>
      {differences.length > 0 && (
        <table class="differences">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          <tbody>
            {differences.map(({what, path, before, after}, index) => (
              <tr key={index}>
                <th scope="row">{visible(path || what)}</th>
                <td>
                  <code>{visible(before) || '–'}</code>
                </td>
                <td>
                  <code>{visible(after) || '–'}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {differ > differences.length && <p class="soft">… and {differ - differences.length} more</p>}
      {leftOut.length > 0 && <p class="soft">Left out, because it differs each time: {visible(leftOut.join(', '))}</p>}
    </>
  )
}
