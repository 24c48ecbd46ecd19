import {join} from 'node:path'
import {has, readText} from '../../reading/files.ts'
import {movedByVariable, portIn, projectApp, type ProjectReader} from './project.ts'
import type {ImportedApp} from '../../imported.ts'

/** Programs of Python: Django, ASGI and WSGI apps, and files that serve by themselves. */
export const python: ProjectReader = {
  appsIn: pythonApps,
  reasonOf: folder => (isPython(folder) ? 'it has no manage.py, main.py, app.py or server.py that serves' : '')
}

function pythonApps(folder: string): readonly ImportedApp[] {
  const locks = ['uv.lock', ...(has(folder, 'pyproject.toml') ? ['../uv.lock', '../../uv.lock'] : [])] // of a workspace
  const interpreter = has(folder, '.venv/bin/python') ? '.venv/bin/python' : has(folder, ...locks) ? 'uv' : 'python3'
  const run = (...words: readonly string[]): readonly string[] =>
    interpreter === 'uv' ? ['uv', 'run', 'python', ...words] : [interpreter, ...words]
  /** A command with its port at the end. */
  const listening = (port: number, ...words: readonly string[]): readonly ImportedApp[] => {
    const command = (at: number): readonly string[] => run(...words, at.toString())
    return [projectApp(folder, {command: command(port), port, move: at => ({command: command(at)})})]
  }
  if (has(folder, 'manage.py')) {
    const command = run('manage.py', 'runserver')
    return [projectApp(folder, {command, port: 8000, move: port => ({command: [...command, port.toString()]})})]
  }
  const file = FILES.filter(name => !isPython(join(folder, name, '..')) || !name.includes('/')).find(name =>
    has(folder, name)
  )
  if (file === undefined) return []
  const text = readText(folder, file)
  const asgi = /FastAPI|Starlette|Litestar/.test(text) ? ASGI.exec(text)?.[1] : undefined
  const module = file.replace(/\.py$/, '').replaceAll('/', '.')
  if (asgi !== undefined) return listening(8000, '-m', 'uvicorn', `${module}:${asgi}`, '--port')
  const wsgi = /^(\w+)\s*=\s*(?:flask\.)?Flask\(/m.exec(text)?.[1]
  if (wsgi !== undefined && !/\.run\(/.test(text))
    return listening(5000, '-m', 'flask', '--app', module, 'run', '--port')
  if (!isPython(folder) && !/\.run\(|serve/.test(text)) return []
  const port = portIn(text) || (wsgi === undefined ? 0 : 5000)
  return [projectApp(folder, {command: run(file), port, move: movedByVariable(text)})]
}

const ASGI = /^(\w+)\s*(?::\s*\w+\s*)?=\s*(?:(?:fastapi\.)?(?:FastAPI|Starlette|Litestar)|create_app)\(/m
const FILES = ['main.py', 'app.py', 'server.py', 'app/main.py', 'src/main.py']

/** Whether a folder has a project file of Python. */
const isPython = (folder: string): boolean => has(folder, 'pyproject.toml', 'requirements.txt', 'setup.py', 'Pipfile')
