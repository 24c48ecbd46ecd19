import {basename, dirname, join, relative} from 'node:path'
import {has, readText} from '../../reading/files.ts'
import {portIn, SERVES} from '../../reading/listening.ts'
import type {ProjectReader, ProjectStart} from './reader.ts'

/** Programs of Python: Django, ASGI and WSGI apps, and files that serve by themselves. */
export const python: ProjectReader = {
  startsIn: pythonStarts,
  reasonOf: folder => (isPython(folder) ? 'it has no manage.py, main.py, app.py or server.py that serves' : '')
}

function pythonStarts(folder: string): readonly ProjectStart[] {
  const isOwn = (name: string): boolean => !name.includes('/') || !isPython(join(folder, name, '..'))
  const file = FILES.find(name => has(folder, name) && isOwn(name))
  if (file === undefined) return []
  const text = readText(folder, file)
  const [part, isInside] = [basename(dirname(join(folder, file))), file.includes('/')]
  const from = Array.from(text.matchAll(/^from (\w+)[ .]/gm), ([, name]) => name)
  // a module with imports from its own folder, by a dot or its name, starts from the folder above
  const isPart = /^from \./m.test(text) || (from.includes(part) && (isInside || has(folder, '__init__.py')))
  const place = isPart && !isInside ? dirname(folder) : folder
  const project = ['.', '..', '../..'].map(way => join(place, way)).find(isPython) ?? place
  const isMember = has(project, 'pyproject.toml') && has(project, '../uv.lock', '../../uv.lock')
  const [, tool = isMember ? 'uv' : ''] = Object.entries(TOOLS).find(([name]) => has(project, name)) ?? []
  const [venv] = [place, folder].flatMap(each =>
    venvProgram(each, 'python').map(way => relative(place, join(each, way)))
  )
  const runner = venv === undefined ? (tool === '' ? ['python3'] : [tool, 'run', 'python']) : [venv]
  const start = (...words: readonly string[]): readonly ProjectStart[] => [
    {id: basename(folder), folder: place, command: [...runner, ...words]}
  ]
  if (file === 'manage.py') return start(file, 'runserver')
  const module = (place === folder ? '' : `${part}.`) + file.replace(/\.py$/, '').replaceAll('/', '.')
  const asgi = /FastAPI|Starlette|Litestar/.test(text) ? ASGI.exec(text)?.[1] : undefined
  const wsgi = /^(\w+)\s*=\s*(?:flask\.)?Flask\(/m.test(text)
  // its own start names a module that is not there: that of another folder
  const [, other = '', api = ''] = /\buvicorn\.run\(\s*["']([\w.]+):(\w+)["']/.exec(text) ?? []
  const isLost = isPart && other !== '' && !has(place, `${other.replaceAll('.', '/')}.py`)
  if (isLost) return start('-m', 'uvicorn', `${module}:${api}`, '--port', `${portIn(text) || 8000}`)
  // a file that serves by itself also starts threads and reads arguments there
  if (!SERVES.test(text) && asgi !== undefined) return start('-m', 'uvicorn', `${module}:${asgi}`)
  if (!SERVES.test(text) && wsgi) return start('-m', 'flask', '--app', module, 'run')
  if (!SERVES.test(text) && (!isPython(folder) || !RUNS.test(text))) return []
  const notes =
    SERVES.test(text) || LASTS.test(text) ? [] : [`${file} may end at once: if it is a task, write profiles`]
  return (isPart ? start('-m', module) : start(file)).map(each => ({...each, notes}))
}

/** A line that does something as the file is run: not a module of functions, which something else calls. */
const RUNS = /^(?:if __name__|while |for |with |(?!print\()\w+\(|[\w.]+\.(?:start|run|loop|main|consume)\w*\()/m

/** Words of a program that goes on, or that may be in another file of it. */
const LASTS =
  /\bwhile\b|\.(?:start|run|loop|main|consume|wait|join)\w*\(|forever|schedul|subscribe|^from (?:\.|src|app)/im

/** Tools that run the programs of a project, by a file of the project. */
const TOOLS = {'uv.lock': 'uv', 'poetry.lock': 'poetry', Pipfile: 'pipenv'}
const ASGI = /^(\w+)\s*(?::\s*\w+\s*)?=\s*(?:(?:fastapi\.)?(?:FastAPI|Starlette|Litestar)|create_app)\(/m
const FILES = ['manage.py', 'main.py', 'app.py', 'server.py', 'app/main.py', 'src/main.py']

const venvProgram = (folder: string, program: string): readonly string[] =>
  ['.venv', 'venv'].map(name => `${name}/bin/${program}`).filter(path => has(folder, path))

/** A command whose program is taken from the virtual environment of its folder, if it is there: no shell has activated that here. */
export const inVenv = ([program = '', ...words]: readonly string[], folder: string): readonly string[] => [
  venvProgram(folder, program)[0] ?? program,
  ...words
]

/** Whether a folder has a project file of Python. */
const isPython = (folder: string): boolean => has(folder, 'pyproject.toml', 'requirements.txt', 'setup.py', 'Pipfile')
