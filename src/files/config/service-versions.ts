import type {AppPlan} from '../../model/plan.ts'
import {isSemanticVersion} from '../../model/version.ts'
import {isPlainTemplate} from '../../model/template-name.ts'
import {placeText, type Source} from './diagnose.ts'
import type {AppKey, ForEach, Settings} from './merge.ts'

/** Pattern of Daeploy's names of services. */
const SERVICE_ID = /^[a-z0-9]+([_a-z0-9]*[a-z0-9])?$/

/** An entry of the template, as it was written and as it will run. */
export interface Entry {
  readonly settings: Settings
  readonly plan: AppPlan
}

/** Applies Daeploy's rules to Daeploy services. Plain Dapr apps may share ids. */
export function checkVersions(entries: readonly Entry[], source: Source, each: ForEach): void {
  const at: At = (settings, key) => placeText(source, settings.spot(key))
  const refused = new Set<Entry>()
  each(entries, entry => {
    refused.add(entry)
    checkVersion(entry, at)
    for (const other of entries) if (other !== entry && !refused.has(other)) checkPair(entry, other, at)
    refused.delete(entry)
  })
}

/** Refuses two apps with one id in a plain template; with Dapr both are instances of one app. Apps with profiles may be alternatives. */
export function checkIds(entries: readonly Entry[], source: Source, each: ForEach): void {
  if (!isPlainTemplate(source.shownAs)) return
  const isSame = ({plan: a}: Entry, {plan: b}: Entry): boolean =>
    a.id === b.id && a.version === b.version && [a, b].every(({profiles}) => profiles === undefined)
  each(entries, (entry, index) => {
    const first = entries.slice(0, index).find(other => isSame(other, entry))
    if (first === undefined) return
    const places = [first, entry].map(({settings}) => placeText(source, settings.spot('appID')))
    entry.settings.refuse({
      code: 'duplicate-app-id',
      key: 'appID',
      message: `two apps have the id ${JSON.stringify(entry.plan.id)}: ${places.join(' and ')}`,
      hint: 'give each an id of its own, or write replicas: 2 on one of them'
    })
  })
}

type At = (settings: Settings, key: AppKey) => string

function checkVersion({settings, plan: {id, version}}: Entry, at: At): void {
  if (settings.values.version === undefined) return
  const app = `app ${JSON.stringify(id)}`
  if (!isSemanticVersion(version)) {
    const place = at(settings, 'version')
    const message = `${app}: version ${JSON.stringify(version)} is not a semantic version (like 1.0.0), ${place}`
    settings.refuse({key: 'version', message, expected: 'expected three numbers with points between them'})
  }
  if (!SERVICE_ID.test(id)) {
    const expected = 'expected lower case letters, digits, and _ between them'
    settings.refuse({key: 'appID', message: `${app}: an app with a version cannot have this id`, expected})
  }
}

function checkPair({settings, plan}: Entry, {settings: first, plan: other}: Entry, at: At): void {
  if (plan.fixedPort === 0 && other.fixedPort === 0) return
  if (plan.id === `${other.id}_${other.version}`)
    settings.refuse({
      key: 'appID',
      message: `app ${JSON.stringify(plan.id)}: the id also means version ${other.version} of ${JSON.stringify(other.id)}`,
      hint: 'choose another id'
    })
  if (plan.id !== other.id || plan.version !== other.version) return
  const places = [at(first, 'appID'), at(settings, 'appID')].toSorted((a, b) =>
    a.localeCompare(b, 'en', {numeric: true})
  )
  settings.refuse({
    key: 'appID',
    message: `app ${JSON.stringify(plan.id)}: version ${plan.version} appears twice, ${places.join(' and ')}`,
    hint: 'give one of them another version, or write replicas: 2 on one'
  })
}
