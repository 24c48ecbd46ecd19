import {join} from 'node:path'
import {portOfDockerfile} from '../../reading/dockerfile.ts'
import {entriesOf, jsonOf, readText} from '../../reading/files.ts'
import {mapOf, textValue} from '../../reading/yaml-file.ts'
import {projectApp, type ProjectReader} from './project.ts'

/** Programs of .NET: web projects, workers and other executables; tests and libraries are none. */
export const dotnet: ProjectReader = {
  appsIn(folder) {
    const project = projectFile(folder)
    if (project === undefined || !isProgram(readText(folder, project))) return []
    const url = launchUrl(folder)
    const isSecure = url.startsWith('https:')
    const exposed = url === '' ? portOfDockerfile(join(folder, 'Dockerfile')) : 0
    const command = ['dotnet', 'run', ...(exposed > 0 ? ['--urls', `http://localhost:${exposed}`] : [])]
    return [
      projectApp(folder, {
        command,
        port: isSecure ? 0 : Number(/:(\d+)/.exec(url)?.[1] ?? 0) || exposed,
        move: port => ({command: ['dotnet', 'run', '--urls', `http://localhost:${port}`]}),
        notes: isSecure ? [`launchSettings.json: ${url} is all it listens on: add an address of http to be called`] : []
      })
    ]
  },
  reasonOf: folder => (projectFile(folder) === undefined ? '' : 'its project makes no program')
}

export const projectFile = (folder: string): string | undefined =>
  entriesOf(folder).find(name => /\.(?:cs|fs|vb)proj$/.test(name))

const isProgram = (text: string): boolean =>
  /Sdk\.(?:Web|Worker|BlazorWebAssembly)|<OutputType>\s*(?:Win)?Exe/.test(text) &&
  !/Microsoft\.NET\.Test\.Sdk|IsTestProject>true|Aspire\.AppHost|IsAspireHost/.test(text)

/** The address of the profile that `dotnet run` takes, the first one of a project: that of http, if it has one; '': none. */
export function launchUrl(folder: string): string {
  const profiles = Object.values(mapOf(jsonOf(folder, 'Properties/launchSettings.json')['profiles'])).map(mapOf)
  const urls = textValue(profiles.find(({commandName}) => commandName === 'Project')?.['applicationUrl']).split(';')
  return urls.find(url => url.startsWith('http:')) ?? urls[0] ?? ''
}
