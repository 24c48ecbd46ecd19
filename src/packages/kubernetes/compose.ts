import {isIPv4, isIPv6} from 'node:net'
import {relative} from 'node:path'
import type {Loaded} from '../../files/config/load.ts'
import {absolutePath} from '../../files/config/paths.ts'
import type {EnvFile} from '../../files/config/keys.ts'
import type {Entry} from '../../files/config/service-versions.ts'
import {oddVariables} from '../../model/environment.ts'
import {orElse} from '../../model/or-else.ts'
import type {AppPlan, Dependency, PublishedPlan} from '../../model/plan.ts'
import {readTextFile} from '../../model/read-file.ts'
import {buildFileOf, imageNameOf} from './check-app.ts'
import {DaprResources} from './dapr-resources.ts'
import {deployedIn, namedOnce, shadowWarnings, type DeployedApp} from './deployed.ts'
import {
  daprdService,
  needsPlacement,
  needsScheduler,
  placementService,
  schedulerService,
  SIDECAR_PORTS
} from './compose-sidecar.ts'
import {checkWithin, dockerRunOf} from '../../model/docker-run.ts'
import {buildOfRun, forCompose, serviceOfRun, volumesOf, type Shown} from './docker-service.ts'
import {Mistakes} from './mistakes.ts'
import {templateLabel} from './object.ts'
import {quantityText} from './pod.ts'
import {podPort, variablesOf} from './variables.ts'
import {keysWithoutMeaningInCompose} from './without-meaning.ts'
import {yamlText} from './write-files.ts'
import {emptyRecord} from '../../model/own.ts'

export interface ComposeOptions {
  readonly home: string
  readonly cwd: string
  /** Folder of the compose file, where its relative paths start. */
  readonly folder: string
  /** The version of Dapr's images. */
  readonly dapr: string
  /** Variables that override the `env` of every app (`--env`). */
  readonly variables?: Readonly<Record<string, string>>
}

/** First line, by which a later export recognizes its own file. */
export const COMPOSE_HEADER = '# Written by pillion export compose: the next export overwrites it.\n'

/**
 * Returns a template as a compose file: a service for each app, one next to it for its sidecar, and Dapr's placement and scheduler if a
 * sidecar uses them. Asks no container engine. Rejects with one `UserError` for all mistakes.
 */
export async function composeFile(
  loaded: Loaded,
  options: ComposeOptions
): Promise<{readonly text: string; readonly warnings: readonly string[]}> {
  const {plan} = loaded
  const entries = await loaded.deployable()
  const deployed = deployedIn(entries, plan)
  const mistakes = new Mistakes()
  const ids = new Set(deployed.map(({entry}) => entry.plan.id))
  const published: Address[] = []
  const shown: Shown = path => relative(options.folder, path).replace(/^(?!\.\.)/, './') // `./orders`, `../shared`
  const services = emptyRecord<object>()
  for (const app of deployed) {
    checkService(app, ids, mistakes)
    services[app.entry.plan.id] = appService(app, options, deployed, published, shown)
    services[`${app.entry.plan.id}-dapr`] = daprdService(app.entry, shown, options.dapr)
  }
  if (deployed.some(({entry}) => needsPlacement(entry))) services['placement'] = placementService(options.dapr)
  const isScheduled = deployed.some(({entry}) => needsScheduler(entry, options.dapr))
  if (isScheduled) services['scheduler'] = schedulerService(options.dapr)
  const name = templateLabel(plan)
  const plans = deployed.map(({entry}) => entry.plan)
  const volumes = {...volumesOf(services), ...(isScheduled && {scheduler: {}})}
  const resources = new DaprResources(plans, {cwd: options.cwd, namespace: '', template: name})
  const leftOut = keysWithoutMeaningInCompose(deployed.map(({entry}) => entry))
  mistakes.throwAll()
  return {
    text:
      COMPOSE_HEADER + yamlText({name: projectName(name), services, ...(Object.keys(volumes).length > 0 && {volumes})}),
    warnings: [
      ...namedOnce(leftOut, 'no meaning in a container, left out'),
      ...shadowWarnings(entries, deployed),
      ...new Set(deployed.flatMap(app => envFileWarnings(app, options))),
      ...resources.composeWarnings
    ]
  }
}

/** Returns a name with the characters that compose allows: lower case letters, digits, `-` and `_`. */
const projectName = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '-')
    .replace(/^[^a-z0-9]+/, '') || 'template'

function checkService({entry}: DeployedApp, ids: ReadonlySet<string>, mistakes: Mistakes): void {
  const {settings, plan} = entry
  const app = `app ${JSON.stringify(plan.id)}`
  const isTaken = plan.id === 'placement' || plan.id === 'scheduler' || [...ids].some(id => plan.id === `${id}-dapr`)
  if (isTaken || !/^[a-zA-Z0-9][\w.-]*$/.test(plan.id))
    mistakes.refuse(settings, {
      key: 'appID',
      message: `${app}: the id cannot name a service of a compose file${isTaken ? ': one of Dapr has this name' : ''}`,
      expected: isTaken ? '' : 'expected letters, digits, -, _ and .'
    })
  const isBuilt = dockerRunOf(plan.command)?.build !== undefined || buildFileOf(plan.folder) !== ''
  if (imageNameOf(plan) === '' && !isBuilt)
    mistakes.refuse(settings, {
      code: 'missing-key',
      key: 'containerImage',
      message: `${app} has no containerImage, and its folder no Dockerfile`,
      hint: 'write containerImage: the image that contains the app'
    })
}

function appService(
  {entry, dependsOn}: DeployedApp,
  {home, variables}: Pick<ComposeOptions, 'home' | 'variables'>,
  deployed: readonly DeployedApp[],
  published: Address[],
  shown: Shown
): object {
  const {settings, plan} = entry
  const {values} = settings
  const port = podPort(entry)
  const environment = {...SIDECAR_PORTS, ...variablesOf(entry, port, variables)}
  const envFiles = envFilesOf(values.envFile).map(({path, required}) => ({
    path: shown(absolutePath(path, plan.folder, home)),
    required
  }))
  const isPublished = (values.createService === true || plan.published !== undefined) && port > 0
  const outer: Address = plan.published ?? {number: port, host: ''}
  const isTaken = published.some(each => collide(each, outer))
  const ports = isPublished ? [isTaken ? port.toString() : `${addressOf(outer)}${outer.number}:${port}`] : []
  if (isPublished) published.push(outer)
  const run = serviceOfRun(plan, shown)
  const awaits = dependsOn.map(({id, until}) => [id, {condition: conditionOf(until, id, deployed)}])
  return {
    ...imageOf(entry, shown),
    ...run,
    environment: Object.fromEntries(Object.entries(environment).map(([name, text]) => [name, forCompose(text)])),
    ...(envFiles.length > 0 && {env_file: [...((run['env_file'] ?? []) as string[]), ...envFiles]}),
    ...(ports.length > 0 && {ports}),
    ...(awaits.length > 0 && {depends_on: Object.fromEntries(awaits) as object}),
    ...(plan.ready.kind === 'command' && {
      healthcheck: {
        test: ['CMD', ...checkWithin(plan.ready.command, plan.command)].map(forCompose),
        interval: '1s',
        timeout: '5s',
        // after the last retry the container is unhealthy and its dependents do not start; in a `start_period` Docker asks only every five seconds
        retries: Math.max(3, Math.ceil(plan.ready.timeoutMs / 1000))
      }
    }),
    ...(values.restart !== undefined && values.restart !== 'no' && {restart: values.restart}),
    ...(values.stop?.signal !== undefined && {stop_signal: values.stop.signal}),
    ...(values.stop?.timeout !== undefined && {stop_grace_period: `${plan.stop.timeoutMs}ms`}),
    ...limitsOf(plan),
    ...(plan.tty === true && {stdin_open: true, tty: true}) // for `docker compose attach`
  }
}

/** An address at which compose publishes a port. `host` '': all addresses of the machine (in a plan it is the loopback). */
type Address = Pick<PublishedPlan, 'host' | 'number'>

const collide = (one: Address, other: Address): boolean =>
  one.number === other.number &&
  (addressOf(one) === addressOf(other) ||
    [one, other].some(each => ['', '0.0.0.0:', '[::]:'].includes(addressOf(each))))

/** Returns the address before a published port, with its colon; '': all addresses. Compose does not accept host names. */
const addressOf = ({host}: Address): string =>
  /(?:^|\.)localhost$/.test(host) ? '127.0.0.1:' : isIPv6(host) ? `[${host}]:` : isIPv4(host) ? `${host}:` : ''

/** Compose's `M` is 2^20 bytes. */
const limitsOf = ({limits: {memoryBytes, cpus} = {memoryBytes: 0, cpus: 0}}: AppPlan): object => ({
  ...(memoryBytes > 0 && {mem_limit: quantityText(memoryBytes, 'M')}),
  ...(cpus > 0 && {cpus})
})

const PULL_POLICIES = {Always: 'always', IfNotPresent: 'missing', Never: 'never'} as const

function imageOf({settings, plan}: Entry, shown: Shown): object {
  const image = imageNameOf(plan)
  if (image !== '')
    return {
      image,
      ...(settings.values.containerImagePullPolicy && {pull_policy: PULL_POLICIES[plan.elsewhere.pullPolicy]})
    }
  const file = buildFileOf(plan.folder)
  const context = shown(plan.folder)
  return {build: buildOfRun(plan, shown) ?? (file === 'Dockerfile' ? context : {context, dockerfile: file})}
}

const envFilesOf = (written: EnvFile | readonly EnvFile[] = []): readonly {path: string; required: boolean}[] =>
  [written].flat().map(entry => {
    const {path, required = true} = typeof entry === 'string' ? {path: entry} : entry
    return {path, required}
  })

/** Warns of values in env files that compose reads differently from a run. */
const envFileWarnings = ({entry: {settings, plan}}: DeployedApp, {home, cwd}: ComposeOptions): readonly string[] =>
  envFilesOf(settings.values.envFile).flatMap(({path: written}) => {
    const path = absolutePath(written, plan.folder, home)
    const {referring, cut} = oddVariables(orElse(() => readTextFile(path), ''))
    const shown = relative(cwd, path)
    return [
      ...namedOnce(referring, `${shown}: compose replaces the $NAME in it: put the value in single quotes`),
      ...namedOnce(cut, `${shown}: the # in it begins no comment for compose: write a blank before it`)
    ]
  })

/** Returns the condition of a dependency. Compose can wait for `service_healthy` only if the container has a check. */
const conditionOf = (until: Dependency['until'], id: string, deployed: readonly DeployedApp[]): string =>
  until === 'completed'
    ? 'service_completed_successfully'
    : until === 'ready' && deployed.some(({entry: {plan}}) => plan.id === id && plan.ready.kind === 'command')
      ? 'service_healthy'
      : 'service_started'
