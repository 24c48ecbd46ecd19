import {computed} from '@preact/signals'
import type {ComponentType} from 'preact'
import {late} from '../parts/late.tsx'
import {isDown} from '../state/app-status.ts'
import {faults} from '../state/faults.ts'
import {appList} from '../state/run.ts'
import Apps from './apps.tsx'

/** A view of the dashboard (see `page/README.md`). */
export interface View {
  /** The name in the address, as in `#/apps`. */
  readonly name: string
  readonly title: string
  /** The key that opens the view when pressed after `g`. */
  readonly key: string
  /** The component; a `late` one is a chunk of its own, which all views but the first are. */
  readonly code: ComponentType & {readonly preload?: () => void}
  /** Whether the view begins a group in the header: what happens now, what outlives a call, what the user can do. */
  readonly beginsGroup?: boolean
  /** Returns a number that is shown next to the title unless it is 0. */
  readonly badge?: () => number
}

const troubles = computed(() => appList.value.filter(isDown).length)

/** The views in the order of the header. */
export const VIEWS: readonly View[] = [
  {
    name: 'apps',
    title: 'Apps',
    key: 'a',
    code: Apps,
    badge: () => troubles.value
  },
  {name: 'calls', title: 'Calls', key: 'c', code: late(async () => import('./calls.tsx'))},
  {name: 'graph', title: 'Graph', key: 'g', code: late(async () => import('./graph.tsx'))},
  {name: 'logs', title: 'Logs', key: 'l', code: late(async () => import('./logs.tsx'))},
  {
    name: 'workflows',
    title: 'Workflows',
    key: 'w',
    beginsGroup: true,
    code: late(async () => import('./workflows.tsx'))
  },
  {name: 'actors', title: 'Actors', key: 'o', code: late(async () => import('./actors.tsx'))},
  {name: 'jobs', title: 'Jobs', key: 'j', code: late(async () => import('./jobs.tsx'))},
  {name: 'replay', title: 'Replay', key: 'r', beginsGroup: true, code: late(async () => import('./replay.tsx'))},
  {
    name: 'faults',
    title: 'Faults',
    key: 'f',
    code: late(async () => import('./faults.tsx')),
    badge: () => faults.value.filter(({isEnabled}) => isEnabled).length
  },
  {name: 'template', title: 'Template', key: 't', code: late(async () => import('./template.tsx'))}
]
