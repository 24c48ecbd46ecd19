import {basename, dirname, join, relative} from 'node:path'
import {has, readText} from '../../reading/files.ts'
import {movedByVariable, portIn, projectApp, type ProjectReader, type ProjectStart} from './project.ts'
import type {ImportedApp} from '../../imported.ts'

/** Programs of Python: Django, ASGI and WSGI apps, and files that serve by themselves. */
export const python: ProjectReader = {
  appsIn: pythonApps,
  reasonOf: folder => (isPython(folder) ? 'it has no manage.py, main.py, app.py or server.py that serves' : '')
}

function pythonApps(folder: string): readonly ImportedApp[] {
  const isOwn = (name: string): boolean => !name.includes('/') || !isPython(join(folder, name, '..'))
  const file = FILES.find(name => has(folder, name) && isOwn(name))
  if (file === undefined) return []
  const text = readText(folder, file)
  const [part, isInside] = [basename(dirname(join(folder, file))), file.includes('/')]
  const from = Array.from(text.matchAll(/^from (\w+)[ .]/gm), ([, name]) => name)
  // what imports from its own folder, by a dot or its name, starts by its name in the folder above
  const isPart = /^from \./m.test(text) || (from.includes(part) && (isInside || has(folder, '__init__.py')))
  const place = isPart && !isInside ? dirname(folder) : folder
  const project = ['.', '..', '../..'].map(way => join(place, way)).find(isPython) ?? place
  const isMember = has(project, 'pyproject.toml') && has(project, '../uv.lock', '../../uv.lock')
  const [, tool = isMember ? 'uv' : ''] = Object.entries(TOOLS).find(([name]) => has(project, name)) ?? []
  const venv = [place, folder].map(each => relative(place, join(each, '.venv/bin/python'))).find(way => has(place, way))
  const runner = venv === undefined ? (tool === '' ? ['python3'] : [tool, 'run', 'python']) : [venv]
  const app = (command: readonly string[], port: number, move: ProjectStart['move']): readonly ImportedApp[] => [
    {...projectApp(place, {command: [...runner, ...command], port, move}), id: basename(folder)}
  ]
  /** A command with its port at the end. */
  const listening = (port: number, ...words: readonly string[]): readonly ImportedApp[] =>
    app([...words, port.toString()], port, at => ({command: [...runner, ...words, at.toString()]}))
  if (file === 'manage.py')
    return app([file, 'runserver'], 8000, at => ({command: [...runner, file, 'runserver', at.toString()]}))
  const asgi = /FastAPI|Starlette|Litestar/.test(text) ? ASGI.exec(text)?.[1] : undefined
  const module = (place === folder ? '' : `${part}.`) + file.replace(/\.py$/, '').replaceAll('/', '.')
  if (asgi !== undefined) return listening(8000, '-m', 'uvicorn', `${module}:${asgi}`, '--port')
  const wsgi = /^(\w+)\s*=\s*(?:flask\.)?Flask\(/m.exec(text)?.[1]
  if (wsgi !== undefined && !/\.run\(/.test(text))
    return listening(5000, '-m', 'flask', '--app', module, 'run', '--port')
  if (!isPython(folder) && !/\.run\(|serve/.test(text)) return []
  const port = portIn(text) || (wsgi === undefined ? 0 : 5000)
  return app(isPart ? ['-m', module] : [file], port, movedByVariable(text))
}

/** What runs the programs of a project, by a file that it has. */
const TOOLS = {'uv.lock': 'uv', 'poetry.lock': 'poetry', Pipfile: 'pipenv'}
const ASGI = /^(\w+)\s*(?::\s*\w+\s*)?=\s*(?:(?:fastapi\.)?(?:FastAPI|Starlette|Litestar)|create_app)\(/m
const FILES = ['manage.py', 'main.py', 'app.py', 'server.py', 'app/main.py', 'src/main.py']

/** Whether a folder has a project file of Python. */
const isPython = (folder: string): boolean => has(folder, 'pyproject.toml', 'requirements.txt', 'setup.py', 'Pipfile')
