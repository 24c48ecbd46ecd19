import {isDataServer} from '../../model/data-server.ts'
import {isInside} from '../../model/glob.ts'
import type {ImpliedWatch} from './app.ts'
import {EVERYTHING} from './lifecycle.ts'
import type {AppPlan} from '../../model/plan.ts'
import {programsIn, type StartedProgram} from './programs.ts'

/** Programs that reload or serve changes themselves whatever their arguments. */
const ALWAYS = new Set('vite parcel nodemon air ts-node-dev tsnd node-dev webpack-dev-server watchexec'.split(' '))

/** Programs that do with one of these words behind them. */
const WITH: ReadonlyMap<string, string> = new Map(
  Object.entries({
    next: 'dev',
    nuxt: 'dev',
    nuxi: 'dev',
    astro: 'dev',
    remix: 'dev',
    'react-router': 'dev',
    'vue-cli-service': 'serve',
    'react-scripts': 'start',
    ng: 'serve',
    webpack: 'serve --watch -w',
    node: '--watch --watch-path',
    tsx: 'watch',
    'ts-node': '--watch',
    bun: '--watch --hot',
    deno: '--watch',
    uvicorn: '--reload',
    gunicorn: '--reload',
    hypercorn: '--reload',
    granian: '--reload',
    fastapi: 'dev',
    flask: '--debug --reload',
    'manage.py': 'runserver',
    dotnet: 'watch',
    cargo: 'watch',
    nest: '--watch -w',
    turbo: 'dev',
    wrangler: 'dev',
    rsbuild: 'dev',
    storybook: 'dev',
    hugo: 'server serve',
    expo: 'start',
    streamlit: 'run',
    quarkus: 'dev',
    mvn: 'quarkus:dev',
    mvnw: 'quarkus:dev',
    gradle: 'quarkusDev',
    gradlew: 'quarkusDev',
    php: 'serve'
  })
)

/**
 * What makes a command reload itself when files change (`vite`, `uvicorn --reload`), '' if nothing does. Scripts of the
 * `package.json` in `folder` are looked up.
 */
export const selfReloader = (command: readonly string[], folder: string): string =>
  programsIn(command, folder)
    .map(reloaderIn)
    .find(found => found !== '') ?? ''

function reloaderIn({name, args}: StartedProgram): string {
  if (ALWAYS.has(name) && !isBuild(name, args)) return name
  const word = WITH.get(name)
    ?.split(' ')
    .find(each => args.some(arg => arg === each || arg.startsWith(`${each}=`)))
  return word !== undefined && !(name === 'node' && isBehindScript(args, word)) ? `${name} ${word}` : ''
}

/** `vite build` and `vite preview` end, or serve what was built. */
const isBuild = (name: string, [first = '']: readonly string[]): boolean =>
  ['vite', 'parcel'].includes(name) && ['build', 'preview', 'optimize'].includes(first)

/** Flags of node that have a value behind them. */
const NODE_VALUED =
  /^(?:-r|--require|--import|--env-file(?:-if-exists)?|--loader|--experimental-loader|-C|--conditions)$/

/** `node app.js --watch`: the word is for the app. */
function isBehindScript(args: readonly string[], word: string): boolean {
  const script = args.findIndex((arg, at) => !arg.startsWith('-') && !NODE_VALUED.test(args[at - 1] ?? ''))
  return script !== -1 && script < args.findIndex(arg => arg.startsWith(word))
}

/** Programs that start containers. */
const ENGINES = new Set(['docker', 'docker-compose', 'podman', 'podman-compose', 'nerdctl'])

/** Whether an app runs nothing that a save could change: a database, or a container whose image is not built here. */
function runsNoCode(plan: AppPlan): boolean {
  const programs = programsIn(plan.command, plan.folder)
  const builds = programs.some(({name, args}) => ENGINES.has(name) && args.some(word => /^(build|--build)$/.test(word)))
  const last = programs.at(-1)?.name ?? ''
  return isDataServer(plan) || isDataServer({...plan, command: [last]}) || (ENGINES.has(last) && !builds)
}

/**
 * What `--watch` watches of an app whose template does not say: nothing of a database, a container, or what reloads itself,
 * no folders of other apps inside its own, and nothing more once it has finished, if it is there to run once.
 */
export const impliedWatch: ImpliedWatch = ({settings, plan}, {entries, dependencies}) => {
  const {watch, folder, command, id, channel} = plan
  if (settings.values.watch !== undefined) return {watch}
  const reloadsItself = selfReloader(command, folder)
  if (reloadsItself !== '' || runsNoCode(plan)) return {watch, reloadsItself}
  const others = new Set(entries.map(each => each.plan.folder).filter(other => other !== folder))
  const inside = [...others].filter(other => isInside(other, folder))
  const isAwaited = dependencies.some(each => each.id === id && each.until === 'completed')
  const runsOnce = isAwaited || (!channel.autoPort && channel.port === 0)
  return {watch: {...EVERYTHING, ...(inside.length > 0 && {others: inside}), ...(runsOnce && {untilFinished: true})}}
}
