import {statusOf} from '../state/app-status.ts'
import {now} from '../state/clock.ts'
import type {AppView} from '../state/run.ts'

/** The state of an app: shape, word, reason. */
export function Status({app}: {readonly app: AppView}) {
  const {word, shape, tone, reason} = statusOf(app, now.value)
  return (
    <span class={`status ${tone}`} title={reason}>
      <span aria-hidden="true">{shape}</span> {word} <small>{reason}</small>
    </span>
  )
}
