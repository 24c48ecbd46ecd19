import {computed} from '@preact/signals'
import type {ComponentType} from 'preact'
import {late} from '../parts/late.tsx'
import {isDown} from '../state/app-status.ts'
import {faults} from '../state/faults.ts'
import {appList} from '../state/run.ts'
import {used} from '../state/used.ts'
import Apps from './apps.tsx'

/** A view of the dashboard (see `page/README.md`). */
export interface View {
  /** The name in the address, as in `#/apps`. */
  readonly name: string
  readonly title: string
  /** The key that opens the view when pressed after `g`. */
  readonly key: string
  readonly code: ComponentType & {readonly preload?: () => void}
  /** Returns whether the run has what the view is about; otherwise the header shows it under *More*. */
  readonly isUsed: () => boolean
  /** Returns a number that is shown next to the title unless it is 0. */
  readonly badge?: () => number
}

const troubles = computed(() => appList.value.filter(isDown).length)

const always = (): boolean => true

/** A view of the chunk of late views; its title is the name of its component. */
const view = (
  title: Exclude<keyof typeof import('./rest.ts'), 'App'>,
  key: string,
  isUsed = () => used.value.has(title)
): View => ({
  name: title.toLowerCase(),
  title,
  key,
  isUsed,
  code: late(async () => ({default: (await import('./rest.ts'))[title]}))
})

/** The views in the order of the header. */
export const VIEWS: readonly View[] = [
  {name: 'apps', title: 'Apps', key: 'a', code: Apps, isUsed: always, badge: () => troubles.value},
  view('Calls', 'c', always),
  view('Graph', 'g', always),
  view('Logs', 'l', always),
  view('Workflows', 'w'),
  view('Actors', 'o'),
  view('Jobs', 'j'),
  view('Replay', 'r'),
  {
    ...view('Faults', 'f', () => faults.value.length > 0),
    badge: () => faults.value.filter(({isEnabled}) => isEnabled).length
  },
  view('Template', 't')
]
