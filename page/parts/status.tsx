import type * as Api from '../../src/model/api.generated.ts'
import {statusOf} from '../state/app-status.ts'
import {now} from '../state/clock.ts'

/** Shows the state of an app as a sign and words. */
export function Status({app}: {readonly app: Api.App}) {
  const {sign, tone, text} = statusOf(app, now.value)
  return (
    <span class={`status ${tone}`}>
      <span aria-hidden="true">{sign}</span> {text}
    </span>
  )
}
