import type * as Api from '../../src/model/api.generated.ts'
import {statusOf} from '../state/app-status.ts'
import {now} from '../state/clock.ts'

/** The state of an app: shape, word, reason. */
export function Status({app}: {readonly app: Api.App}) {
  const {word, shape, tone, reason} = statusOf(app, now.value)
  return (
    <span class={`status ${tone}`} title={reason}>
      <span aria-hidden="true">{shape}</span> {word} <small>{reason}</small>
    </span>
  )
}
