import type * as Api from '../../src/model/api.generated.ts'
import {wordOf} from '../state/app-status.ts'
import {now} from '../state/clock.ts'
import {duration, timeOfDay} from './format.ts'

const MAX_SHOWN = 8

/** Shows the latest processes of an app: those that ended unasked, and the running one. */
export function Lives({app, ends}: {readonly app: Api.App; readonly ends: readonly Api.DeathRow[]}) {
  const {startedAt, pid} = app
  const latest = ends.slice(-MAX_SHOWN)
  const isRunning = pid > 0 && startedAt !== null
  // the card of the last crash, or the facts, show the only process
  if (latest.length + (isRunning ? 1 : 0) < 2) return null
  return (
    <section aria-labelledby="lives">
      <h2 id="lives">
        Restarts {ends.length > MAX_SHOWN && <small>{`the last ${MAX_SHOWN} of ${ends.length}`}</small>}
      </h2>
      <ol class="ends">
        {latest.map(({number, at, exit, livedMs, files, inside}) => (
          <li key={number} class="bad">
            <b>✕ {exit}</b>
            <small>
              {timeOfDay(at).slice(0, 8)}, ran for {duration(livedMs)}
              {files.length > 0 && `, after ${files.join(', ')}`}
              {inside > 0 && `, ${inside} in flight`}
            </small>
          </li>
        ))}
        {isRunning && (
          <li class="good">
            <b>● {wordOf(app)}</b>
            <small>
              since {timeOfDay(startedAt).slice(0, 8)}, {duration(Math.max(0, now.value - Date.parse(startedAt)))}
            </small>
          </li>
        )}
      </ol>
    </section>
  )
}
