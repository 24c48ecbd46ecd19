import type * as Api from '../../src/model/api.generated.ts'
import {statusOf} from '../state/app-status.ts'
import {now} from '../state/clock.ts'

/** Shows the state of an app as a sign and a few words; its tooltip says all. */
export function Status({app}: {readonly app: Api.App}) {
  const {sign, tone, cell, text} = statusOf(app, now.value)
  return (
    <span class={`status ${tone}`} title={text}>
      <span aria-hidden="true">{sign}</span> {cell}
    </span>
  )
}
