import {isInside} from '../../model/glob.ts'
import type {ImpliedWatch} from './app.ts'
import {ENGINES, isDataServer, programThatStays} from './data-server.ts'
import {EVERYTHING} from './lifecycle.ts'
import type {AppPlan} from '../../model/plan.ts'
import {programsIn, type StartedProgram} from './programs.ts'

/** Programs that reload changed files with any arguments. */
const ALWAYS = new Set('vite parcel nodemon air ts-node-dev tsnd node-dev webpack-dev-server watchexec'.split(' '))

/** Arguments with which programs reload changed files, each with these programs. */
const WITH = Object.entries({
  dev: 'next nuxt nuxi astro remix react-router fastapi turbo wrangler rsbuild storybook quarkus',
  serve: 'vue-cli-service ng webpack hugo php',
  server: 'hugo',
  start: 'react-scripts expo',
  run: 'streamlit',
  runserver: 'manage.py',
  watch: 'tsx dotnet cargo',
  '--watch': 'node ts-node bun deno webpack nest',
  '--watch-path': 'node',
  '-w': 'webpack nest',
  '--hot': 'bun',
  '--reload': 'uvicorn gunicorn hypercorn granian flask',
  '--debug': 'flask',
  'quarkus:dev': 'mvn mvnw',
  quarkusDev: 'gradle gradlew'
}).map(([word, names]) => [word, names.split(' ')] as const)

/**
 * Returns the part of a command that reloads itself when files change (`vite`, `uvicorn --reload`), else an empty string. Scripts of the
 * `package.json` in `folder` are looked up.
 */
export const selfReloader = (command: readonly string[], folder: string): string =>
  programsIn(command, folder)
    .map(reloaderIn)
    .find(found => found !== '') ?? ''

function reloaderIn({name, args}: StartedProgram): string {
  if (ALWAYS.has(name) && !isBuild(name, args)) return name
  if (args.some(arg => /^--(?:no-?reload|watch=false)$/.test(arg))) return '' // Django, Flask and FastAPI, Angular and Hugo
  const isGiven = (word: string): boolean => args.some(arg => arg === word || arg.startsWith(`${word}=`))
  const word = WITH.find(([each, names]) => names.includes(name) && isGiven(each))?.[0]
  return word !== undefined && !(name === 'node' && isBehindScript(args, word)) ? `${name} ${word}` : ''
}

/** `vite build` and `vite preview` end, or serve built files. */
const isBuild = (name: string, [first = '']: readonly string[]): boolean =>
  ['vite', 'parcel'].includes(name) && ['build', 'preview', 'optimize'].includes(first)

/** Flags of node that are followed by a value. */
const NODE_VALUED =
  /^(?:-r|--require|--import|--env-file(?:-if-exists)?|--loader|--experimental-loader|-C|--conditions)$/

/** Whether a word follows the script, as in `node app.js --watch`: the app gets it, not Node. */
function isBehindScript(args: readonly string[], word: string): boolean {
  const script = args.findIndex((arg, at) => !arg.startsWith('-') && !NODE_VALUED.test(args[at - 1] ?? ''))
  return script !== -1 && script < args.findIndex(arg => arg.startsWith(word))
}

/** Whether no save can change an app: a database, or a container whose image is not built here. */
function runsNoCode(plan: AppPlan): boolean {
  const programs = programsIn(plan.command, plan.folder)
  const builds = programs.some(({name, args}) => ENGINES.has(name) && args.some(word => /^(build|--build)$/.test(word)))
  return isDataServer(plan) || (ENGINES.has(programThatStays(programs).name) && !builds)
}

/**
 * Returns the files that `--watch` watches for an app without the `watch` key. Databases, containers and programs that reload themselves
 * have none. Folders of other apps inside an app's folder are excluded, and a finished one-shot app is not started again.
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
