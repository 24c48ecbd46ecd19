import type * as Api from '../../src/model/api.generated.ts'
import {isUsable} from '../../src/model/availability.ts'
import {statusOf} from '../state/app-status.ts'
import {now} from '../state/clock.ts'
import {go, hrefOf} from '../state/route.ts'
import {keyOf} from '../state/run.ts'

/**
 * Shows one cell for each app, in template order, so that a problem among many apps is seen at once. A click opens the app; keyboard
 * and screen reader users have the table below, which shows the same.
 */
export function AppMap({apps}: {readonly apps: readonly Api.App[]}) {
  const ready = apps.filter(({availability}) => isUsable(availability)).length
  return (
    <div
      class="map"
      role="img"
      aria-label={`${ready} of ${apps.length} apps are ready`}
      onClick={({target}) => {
        const key = target instanceof HTMLElement ? target.dataset['key'] : undefined
        if (key !== undefined) go(hrefOf('apps', [key]))
      }}
    >
      {apps.map(app => {
        const {sign, tone, word, text} = statusOf(app, now.value)
        const key = keyOf(app)
        return (
          <span key={key} class={tone} data-key={key} title={`${key}: ${text}`}>
            {word === 'ready' ? '' : sign}
          </span>
        )
      })}
    </div>
  )
}
