import {basename} from 'node:path'
import type {Section, Template} from './decode.ts'
import {appError, startError, templateError, type Mistake, type Source, type Spot} from './diagnose.ts'
import type {AppValues} from './keys.ts'

export type AppKey = keyof AppValues

/** What is wrong with the value of a key, or with something inside it. */
export interface Complaint extends Omit<Mistake, 'spot'> {
  readonly key: AppKey
  readonly inside?: readonly string[]
}

/** What an app says, and `common` for it. */
export interface Settings {
  /** `appID`, or the name of the app's folder. */
  readonly id: string
  /** Where the app runs, absolute. */
  readonly folder: string
  readonly values: AppValues
  /** Whether the app says it itself. */
  isOwn(key: AppKey): boolean
  /** Where the value that counts stands, or something inside it; the whole entry when it is written nowhere. */
  spot(key: AppKey, ...inside: readonly string[]): Spot
  /** Throws what Dapr tells before anything starts. */
  refuse(complaint: Complaint): never
  /** Throws what Dapr tells when the turn of this app comes. */
  refuseAtStart(complaint: Complaint): never
  /** Throws what Dapr tells when it cannot start this app. */
  refuseToStart(complaint: Complaint): never
}

/**
 * An app's own values above those of `common`, the entries of `env` one by one. What an app says counts even where it is
 * `false`, `0` or `''`; Dapr takes these for "not said" (`mergeCommonAndAppsSharedRunConfig` in its CLI). Paths of Dapr's
 * resources are no matter of this merge: they have been located where they were written.
 */
export function mergeApp(
  {common, within}: Template,
  app: Section<AppValues>,
  {source, folder}: {source: Source; folder: string}
): Settings {
  const values: AppValues = {...common.values, ...app.values, env: {...common.values.env, ...app.values.env}}
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

/** The settings of an app of which nothing is said: every key has its default. */
export function noSettings(id: string, folder: string): Settings {
  const spot = {start: 0, end: 0}
  return {
    id,
    folder,
    values: {},
    isOwn: () => false,
    spot: () => spot,
    refuse: isOurBug,
    refuseAtStart: isOurBug,
    refuseToStart: isOurBug
  }
}

function isOurBug({message}: Complaint): never {
  throw new Error(`a default is wrong: ${message}`)
}
