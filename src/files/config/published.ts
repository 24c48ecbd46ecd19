import type {PublishedPlan} from '../../model/plan.ts'
import {placeText, type Source} from './diagnose.ts'
import type {ForEach, Settings} from './merge.ts'
import type {Entry} from './service-versions.ts'
import {HIGHEST_PORT, isHost, unbracketed} from './sidecar.ts'

const EXPECTED = 'expected a port number from 1 to 65535, or an address with one, like 0.0.0.0:5100'

/** Reads the address at which an app is called: `5100`, or `ADDRESS:5100`; undefined: only its sidecars call it. */
export function publishedPlan(settings: Settings): PublishedPlan | undefined {
  const {port: written, appPort = 0, fixedPort} = settings.values
  if (written === undefined) return undefined
  const text = String(written)
  const colon = text.lastIndexOf(':')
  const host = colon < 0 ? '' : unbracketed(text.slice(0, colon).trim())
  const digits = text.slice(colon + 1)
  const number = /^\d{1,5}$/.test(digits) ? Number(digits) : 0
  if (number === 0 || number > HIGHEST_PORT || (colon >= 0 && !isHost(host)))
    return settings.refuse({key: 'port', message: 'wrong value of port', expected: EXPECTED})
  if (number === appPort)
    return settings.refuse({
      code: 'conflicting-keys',
      key: 'port',
      message: `port and appPort are both ${number}: Pillion listens at port, so the app has to listen elsewhere`,
      hint: 'leave appPort out: the app is given a free port in PORT; or write the number that it has in its code as fixedPort'
    })
  return {host, number, inCode: fixedPort ?? number}
}

/** The keys of ports that are bound once: by us, or by a program of the template. */
const PORT_KEYS = ['port', 'appPort', 'daprHTTPPort', 'daprGRPCPort', 'metricsPort'] as const

interface WrittenPort {
  readonly key: (typeof PORT_KEYS)[number]
  readonly number: number
  readonly entry: Entry
}

/** Refuses a `port` that another key or another app wants. Apps with profiles may be alternatives: they are compared at their start. */
export function checkPublished(entries: readonly Entry[], source: Source, each: ForEach): void {
  const hasAny = entries.some(({plan}) => plan.published !== undefined)
  const taken: WrittenPort[] = []
  each(hasAny ? entries : [], entry => {
    for (const port of entry.plan.profiles === undefined ? portsOf(entry) : []) {
      const first = taken.find(other => other.number === port.number && collide(other, port))
      if (first !== undefined) refuseTaken(port, first, source)
      taken.push(port)
    }
  })
}

function refuseTaken({key, number, entry}: WrittenPort, first: WrittenPort, source: Source): never {
  const {settings} = first.entry
  const whose = first.entry === entry ? '' : ` of ${JSON.stringify(settings.id)}`
  return entry.settings.refuse({
    code: 'duplicate-port',
    key,
    message: `app ${JSON.stringify(entry.plan.id)}: ${key} is ${number}, which is taken by the ${first.key}${whose} (${placeText(source, settings.spot(first.key))})`,
    hint: 'give each a number of its own'
  })
}

function portsOf(entry: Entry): readonly WrittenPort[] {
  const {settings, plan} = entry
  return PORT_KEYS.flatMap(key => {
    if (key === 'appPort' && (plan.channel.autoPort || plan.channel.address !== '')) return []
    const number = key === 'port' ? plan.published?.number : settings.values[key]
    return number === undefined || number <= 0 ? [] : {key, number, entry}
  })
}

/** Versions of an app share its `port`. */
function collide(first: WrittenPort, second: WrittenPort): boolean {
  if (first.key !== 'port' && second.key !== 'port') return false
  if (first.key !== second.key) return true
  const [one, other] = [first, second].map(({entry}) => entry.plan.published?.host || '127.0.0.1')
  const isEverywhere = [one, other].some(host => host === '0.0.0.0' || host === '::')
  return first.entry.plan.id !== second.entry.plan.id && (one === other || isEverywhere)
}
