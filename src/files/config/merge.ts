import {basename} from 'node:path'
import {UserError} from '../../model/errors.ts'
import type {Section, Template} from './decode.ts'
import {appError, startError, templateError, type Mistake, type Source} from './diagnose.ts'
import type {Spot} from '../yaml/place.ts'
import type {AppValues, KubernetesValues} from './keys.ts'

export type AppKey = keyof AppValues

/** A mistake in the value of a key, or inside of it. */
interface Complaint extends Omit<Mistake, 'spot'> {
  readonly key: AppKey
  readonly inside?: readonly string[]
}

/** The settings of an app, merged with those of `common`. */
export interface Settings {
  /** `appID`, or the name of the app's folder. */
  readonly id: string
  /** Working directory of the app, absolute. */
  readonly folder: string
  readonly values: AppValues
  /** Whether the entry of the app sets a key itself, and not `common`. */
  isOwn(key: AppKey): boolean
  /** Returns the place of a key's effective value, or of a part of it. Returns the whole entry if the key is not set. */
  spot(key: AppKey, ...inside: readonly string[]): Spot
  /** Throws an error as Dapr prints it before any app starts. */
  refuse(complaint: Complaint): never
  /** Throws the error that Dapr prints when it starts this app. */
  refuseAtStart(complaint: Complaint): never
  /** Throws Dapr's message for an app that cannot start. */
  refuseToStart(complaint: Complaint): never
}

/** Maps all entries. Throws at the first mistake, or at the end with all mistakes. */
export type ForEach = <One, Result>(all: readonly One[], make: (one: One, index: number) => Result) => readonly Result[]

export const untilMistake: ForEach = (all, make) => all.map(make)

/**
 * Merges an app's own values over those of `common`; `env` is merged entry by entry, `kubernetes` key by key. Own values win even if they are
 * `false`, `0` or `''`, which Dapr treats as unset (`mergeCommonAndAppsSharedRunConfig` in its CLI). Paths of resources are
 * not merged here: they are relative to the section that contains them, see `locateApps`.
 */
export function mergeApp(
  {common, within}: Template,
  app: Section<AppValues>,
  {source, folder}: {source: Source; folder: string}
): Settings {
  const values: AppValues = {
    ...common.values,
    ...app.values,
    env: {...common.values.env, ...app.values.env},
    ...kubernetesOf(common.values.kubernetes, app.values.kubernetes)
  }
  const id = values.appID || basename(folder)
  const spot: Settings['spot'] = (key, ...inside) => {
    const isShared = app.values[key] === undefined && common.values[key] !== undefined
    const pair = (isShared ? common : app).pairs.get(key)
    return pair === undefined ? app.spot : within(pair, inside).value
  }
  const mistake = ({key, inside = [], ...rest}: Complaint): Mistake => ({...rest, spot: spot(key, ...inside)})
  return {
    id,
    folder,
    values,
    spot,
    isOwn: key => app.values[key] !== undefined,
    refuse: complaint => {
      throw templateError(source, mistake(complaint))
    },
    refuseAtStart: complaint => {
      throw appError(source, id, mistake(complaint))
    },
    refuseToStart: complaint => {
      throw startError(source, id, mistake(complaint))
    }
  }
}

/** Merges `kubernetes` key by key, and annotations and labels entry by entry. */
function kubernetesOf(
  shared: KubernetesValues | undefined,
  own: KubernetesValues | undefined
): Pick<AppValues, 'kubernetes'> {
  const both = own === undefined ? shared : {...shared, ...own}
  if (both === undefined) return {}
  const merged = (key: 'annotations' | 'labels'): KubernetesValues =>
    both[key] === undefined ? {} : {[key]: {...shared?.[key], ...own?.[key]}}
  return {kubernetes: {...both, ...merged('annotations'), ...merged('labels')}}
}

/** Returns the settings of an app outside a template. Missing values have defaults, and mistakes have no place. */
export const noSettings = (id: string, folder: string, values: AppValues = {}): Settings => ({
  id,
  folder,
  values,
  isOwn: key => key in values,
  spot: () => ({start: 0, end: 0}),
  refuse,
  refuseAtStart: refuse,
  refuseToStart: refuse
})

function refuse({message}: Complaint): never {
  throw new UserError(message)
}
