import type * as Api from '../../src/model/api.generated.ts'
import type {ComponentChildren} from 'preact'
import {useEffect, useState} from 'preact/hooks'
import {QuickFaults} from '../faults/quick-faults.tsx'
import {Address, rootOf} from '../home/address.tsx'
import {AppActions} from '../parts/app-actions.tsx'
import {Death} from '../parts/death.tsx'
import {count, duration, percent, rate} from '../parts/format.ts'
import {LatestCalls} from '../parts/latest-calls.tsx'
import {Lives} from '../parts/lives.tsx'
import {visible, withoutColours} from '../parts/safe-text.ts'
import {Status} from '../parts/status.tsx'
import {api} from '../state/api.ts'
import {now} from '../state/clock.ts'
import {useKeys, type Key} from '../state/keys.ts'
import {go, hrefOf} from '../state/route.ts'
import {appList, calleeOf, keyOf, opened, targetOf, troubles, waiting} from '../state/run.ts'
import {incoming, NO_TRAFFIC, outgoing} from '../state/traffic.ts'

/** The data loaded about one app; a field is undefined until it arrives, or if there is none. */
interface Details {
  readonly why?: Api.Why
  readonly deaths?: readonly Api.DeathRow[]
  readonly environment?: Api.Environment
  /** The path at which the app serves the documentation of its API. */
  readonly docs?: Api.AppDocs
}

/** Loads the details of an app, or of the instance that `id` names, again whenever `changes` is another value or the run answers again. */
function useDetails(id: string, changes: string): Details {
  const [details, setDetails] = useState<Details>({})
  useEffect(() => {
    const gone = new AbortController()
    const asked = {at: {id}, signal: gone.signal}
    const show = (found: Details): void => setDetails(before => ({...before, ...found}))
    const keep = (): void => undefined // without an answer, what is shown stays
    api.ask('GET /apps/{id}/why', asked).then(why => show({why}), keep)
    api.ask('GET /apps/{id}/deaths', asked).then(show, keep)
    api.ask('GET /apps/{id}/environment', asked).then(environment => show({environment}), keep)
    // the run asks the app itself, which may log a line, so this is loaded only while the app is shown
    api.ask('GET /apps/{id}/docs', asked).then(docs => show({docs}), keep)
    return () => gone.abort()
  }, [id, changes, opened.value])
  return details
}

const KEYS: readonly Key[] = [{keys: 'Escape', text: 'Back to all apps', run: () => go(hrefOf('apps'))}]

/** Shows an app: its state, its last crash, its calls and facts about it. */
export default function App({name}: {readonly name: string}) {
  useKeys(KEYS)
  const all = appList.value
  // other pages link by the id alone; the name of a service has a version, too
  const app = all.find(each => keyOf(each) === name) ?? all.find(({id, isMain}) => isMain && id === name)
  if (app === undefined) return <NoSuchApp name={name} />
  return <Found app={app} />
}

function NoSuchApp({name}: {readonly name: string}) {
  const near = appList.value.map(keyOf).filter(key => key.startsWith(name.slice(0, 2)))
  return (
    <div class="empty">
      <h1 class="unseen">{name}</h1>
      <p>
        The run has no app “{name}”.{' '}
        {near.slice(0, 5).map(key => (
          <a key={key} href={hrefOf('apps', [key])}>
            {key}{' '}
          </a>
        ))}
        <a href={hrefOf('apps')}>Show all</a>
      </p>
    </div>
  )
}

function Found({app}: {readonly app: Api.App}) {
  const {id} = app
  const {
    why,
    deaths: ends = [],
    environment,
    docs
  } = useDetails(
    `${targetOf(app).name}@${app.version}`,
    `${app.state} ${app.pid} ${troubles.value.find(trouble => trouble.app === id)?.death ?? 0}`
  )
  const reason = why?.instances.find(each => each.reason !== '')?.reason ?? ''
  return (
    <div class="sheet">
      <div class="tools">
        <h1>
          <a href={hrefOf('apps')}>Apps</a> / {keyOf(app)}
        </h1>
        <Status app={app} />
        <span class="far" />
        <AppActions app={app} />
      </div>
      {reason !== '' && !app.isReady && app.loop === null && !reason.includes(why?.death?.exit ?? '\0') && (
        <p class="box note">{withoutColours(reason)}</p>
      )}
      {why?.death && <Death key={why.death.number} death={why.death} />}
      <Lives app={app} ends={ends} />
      <div class="columns">
        <section>
          <h2>Calls in and out</h2>
          <Figures app={app} />
          <QuickFaults to={id} />
          <LatestCalls app={calleeOf(app)} />
        </section>
        <section>
          <h2>Facts</h2>
          <Facts app={app} folder={environment?.folder ?? ''} docs={docs?.path ?? ''} />
          <h2>
            Environment <small>secrets are masked</small>
          </h2>
          <dl class="facts">
            {environment?.variables.map(([variable, value]) => (
              <div key={variable}>
                <dt>{visible(variable)}</dt>
                <dd>
                  <code>{visible(value)}</code>
                </dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </div>
  )
}

function Figures({app}: {readonly app: Api.App}) {
  const {id} = app
  const {perSecond, calls, failed, p95Ms} = incoming.value.get(calleeOf(app)) ?? NO_TRAFFIC
  const out = outgoing.value.get(id) ?? NO_TRAFFIC
  const figures: readonly (readonly [string, string, string?])[] = [
    ['in', `${rate(perSecond)}/s`],
    ['failed', failed === 0 ? '–' : percent(failed, calls), failed === 0 ? '' : 'bad'],
    ['p95', p95Ms === 0 ? '–' : duration(p95Ms)],
    ['waiting', count(waiting.value.get(id) ?? 0)],
    ['out', `${rate(out.perSecond)}/s`]
  ]
  return (
    <dl class="numbers">
      {figures.map(([name, value, tone = '']) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class={tone}>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

interface FactsProps {
  readonly app: Api.App
  readonly folder: string
  readonly docs: string
}

function Facts({app, folder, docs}: FactsProps) {
  const {command, appPort, appProtocol, httpPort, grpcPort, pid, startedAt, waitsFor, logFile, circuitBreakers} = app
  const sidecar = `http://${app.sidecarHost ?? 'localhost'}:${httpPort}/v1.0/metadata`
  const facts: readonly (readonly [string, ComponentChildren])[] = [
    ['command', command],
    ['folder', folder],
    ['process', pid === 0 ? '' : pid.toString()],
    ['up', startedAt === null ? '' : duration(Math.max(0, now.value - Date.parse(startedAt)))],
    ['port', appPort > 0 && [<Address app={app} />, ` ${appProtocol}`]],
    ['its API', docs !== '' && <Outside url={rootOf(app) + docs} />],
    ['sidecar', httpPort > 0 && [<Outside url={sidecar} />, `, gRPC ${grpcPort}`]],
    ['waits for', waitsFor.join(', ')],
    ['circuit breakers', circuitBreakers.map(({name, state}) => `${name} ${state}`).join(', ')],
    ['log file', logFile]
  ]
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== '' && value !== false)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{typeof value === 'string' ? visible(value) : value}</code>
            </dd>
          </div>
        ))}
    </dl>
  )
}

const Outside = ({url}: {readonly url: string}) => (
  <a href={url} target="_blank" rel="noreferrer">
    {url}
  </a>
)
