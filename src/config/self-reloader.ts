import {programsIn, type StartedProgram} from './programs.ts'

/** Programs that reload or serve changes themselves whatever their arguments. */
const ALWAYS = new Set(['vite', 'nodemon', 'air', 'ts-node-dev', 'tsnd', 'node-dev', 'webpack-dev-server', 'watchexec'])

/** Programs that do with one of these words behind them. */
const WITH: ReadonlyMap<string, readonly string[]> = new Map([
  ['next', ['dev']],
  ['nuxt', ['dev']],
  ['nuxi', ['dev']],
  ['astro', ['dev']],
  ['remix', ['dev']],
  ['react-router', ['dev']],
  ['vue-cli-service', ['serve']],
  ['react-scripts', ['start']],
  ['ng', ['serve']],
  ['webpack', ['serve', '--watch', '-w']],
  ['node', ['--watch', '--watch-path']],
  ['tsx', ['watch']],
  ['ts-node', ['--watch']],
  ['bun', ['--watch', '--hot']],
  ['deno', ['--watch']],
  ['uvicorn', ['--reload']],
  ['gunicorn', ['--reload']],
  ['hypercorn', ['--reload']],
  ['granian', ['--reload']],
  ['fastapi', ['dev']],
  ['flask', ['--debug', '--reload']],
  ['manage.py', ['runserver']],
  ['dotnet', ['watch']],
  ['cargo', ['watch']],
  ['nest', ['--watch', '-w']]
])

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
  const word = WITH.get(name)?.find(each => args.some(arg => arg === each || arg.startsWith(`${each}=`)))
  return word !== undefined && !(name === 'node' && isBehindScript(args, word)) ? `${name} ${word}` : ''
}

/** `vite build` and `vite preview` end, or serve what was built. */
const isBuild = (name: string, [first = '']: readonly string[]): boolean =>
  name === 'vite' && ['build', 'preview', 'optimize'].includes(first)

/** `node app.js --watch`: the word is for the app. */
function isBehindScript(args: readonly string[], word: string): boolean {
  const script = args.findIndex(arg => !arg.startsWith('-'))
  return script !== -1 && script < args.findIndex(arg => arg.startsWith(word))
}
