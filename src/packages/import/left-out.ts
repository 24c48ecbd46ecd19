import {readdirSync} from 'node:fs'
import {relative} from 'node:path'
import {has, readPackage, SCRIPTS} from './project-files.ts'

/** Why a folder with files of a project makes no app; '': it has no such files. */
function reasonOf(folder: string): string {
  if (has(folder, 'package.json'))
    return readPackage(folder) === undefined
      ? 'its package.json is not JSON'
      : `its package.json has no script ${SCRIPTS.slice(0, -1).join(', ')} or ${SCRIPTS.at(-1) ?? ''}`
  if (has(folder, 'pyproject.toml', 'requirements.txt', 'setup.py', 'Pipfile'))
    return 'it has no manage.py, main.py, app.py or server.py that serves'
  if (has(folder, 'go.mod')) return 'it has no main.go, nor one in cmd'
  if (has(folder, 'pom.xml')) return 'its pom.xml has neither Spring Boot nor Quarkus'
  if (has(folder, 'build.gradle', 'build.gradle.kts'))
    return 'its build file has neither Spring Boot nor the plugin application'
  if (has(folder, 'Cargo.toml')) return 'it has no src/main.rs'
  return readdirSync(folder).some(name => /\.(?:cs|fs)proj$/.test(name)) ? 'its project makes no program' : ''
}

/** Of each folder with files of a project that made no app, why, by its path from `root`. */
export const leftOut = (folders: readonly string[], root: string): readonly (readonly [string, string])[] =>
  folders.flatMap(folder => {
    const reason = reasonOf(folder)
    return reason === '' ? [] : [[relative(root, folder), reason] as const]
  })
