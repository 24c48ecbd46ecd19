import {basename, join} from 'node:path'
import {foldersIn, has, entriesOf, readText} from '../../reading/files.ts'
import {listeningIn, type ListensAt} from '../../reading/listening.ts'
import {projectApp, type ProjectReader, type ProgramVariables} from './project.ts'

/** Programs of Go: a folder with `package main` in any file, or those in `cmd`. */
export const go: ProjectReader = {
  appsIn(folder, env) {
    const main = mainText(folder)
    if (main !== '')
      return [
        projectApp(folder, {command: ['go', 'run', '.'], ...addressedIn(main, folder, env), notes: moduleNote(folder)})
      ]
    const command = mainText(join(folder, 'cmd'))
    if (command !== '')
      return [projectApp(folder, {command: ['go', 'run', './cmd'], ...addressedIn(command, folder, env)})]
    if (!['.', '..', '../..'].some(way => has(join(folder, way), 'go.mod'))) return []
    return foldersIn(join(folder, 'cmd')).flatMap(each => {
      const name = basename(each)
      const text = mainText(each)
      const start = {command: ['go', 'run', `./cmd/${name}`], ...addressedIn(text, folder, env)}
      return text === '' ? [] : [{...projectApp(folder, start), id: name}]
    })
  },
  reasonOf: folder => (has(folder, 'go.mod') ? 'it has no package main, nor one in cmd' : '')
}

/** The text of all files of `package main` in a folder that are no tests; '': there are none. */
export function mainText(folder: string): string {
  const sources = entriesOf(folder).filter(name => name.endsWith('.go') && !name.endsWith('_test.go'))
  const texts = sources.map(name => readText(folder, name))
  return texts.filter(text => /^package main\b/m.test(text) && !/^\/\/go:build ignore/m.test(text)).join('\n')
}

/** Finds the port of a program in its text, as a number or an address. */
export function addressedIn(text: string, folder: string, env?: ProgramVariables): ListensAt {
  const found = listeningIn(text, folder, env)
  return {...found, port: found.port || addressIn(text)}
}

/** The number of the address at which a program's text listens, `":8080"`, before one that it may call; 0: none. */
const addressIn = (text: string): number =>
  /dial|client|kafka/i.test(text) &&
  !/listen|serve\b|\.(?:run|start)\w*\(|bind\(|[:=]\s*"0\.0\.0\.0:|flag\.\w+\([^()]*":\d/i.test(text)
    ? 0
    : Number((LISTENED.exec(text) ?? /"(?:[a-z][\w.]*|\d+(?:\.\d+){3}):(\d{2,5})"/i.exec(text))?.[1] ?? 0)
const LISTENED = /(?:"|[:=]\s*"0\.0\.0\.0|(?:listen|serve|run|start|bind)\w*\([^()"]*(?:"tcp",\s*)?"[\w.]*):(\d{2,5})"/i

/** Programs from before Go's modules do not start as they are. */
const moduleNote = (folder: string): readonly string[] =>
  ['.', '..', '../..', '../../..', '../../../..'].some(way => has(join(folder, way), 'go.mod', 'go.work'))
    ? []
    : ['go run needs a go.mod, and none is there: go mod init, and go mod tidy']
