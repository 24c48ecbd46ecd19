import type * as Api from '../../src/model/api.generated.ts'
import {isUsable} from '../../src/model/availability.ts'
import {statusOf} from '../state/app-status.ts'
import {now} from '../state/clock.ts'
import {go, hrefOf} from '../state/route.ts'
import {keyOf} from '../state/run.ts'

/**
 * A cell for each app, in the order of the template: with many apps, where something is wrong is seen at once. A click opens the
 * app; for keys and for those who do not see it there is the table below, which says the same.
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
