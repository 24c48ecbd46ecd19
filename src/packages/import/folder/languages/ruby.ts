import {has, readText} from '../../reading/files.ts'
import {movesByItself, projectApp, type ProjectReader} from './project.ts'

/** Programs of Ruby: Rails, Sinatra, and what `rackup` starts. */
export const ruby: ProjectReader = {
  appsIn(folder) {
    if (has(folder, 'bin/rails') && has(folder, 'config/application.rb', 'config.ru'))
      return [projectApp(folder, {command: ['bin/rails', 'server'], port: 3000, move: movesByItself})]
    const file = ['app.rb', 'server.rb', 'main.rb'].find(name => /sinatra/i.test(readText(folder, name)))
    if (has(folder, 'config.ru'))
      return [
        projectApp(folder, {
          command: ['bundle', 'exec', 'rackup'],
          port: 9292,
          move: port => ({command: ['bundle', 'exec', 'rackup', '-p', port.toString()]})
        })
      ]
    if (file === undefined) return []
    const port = Number(/set :port,\D*(\d{4,5})/.exec(readText(folder, file))?.[1] ?? 4567)
    return [projectApp(folder, {command: ['bundle', 'exec', 'ruby', file], port, move: movesByItself})]
  },
  reasonOf: folder => (has(folder, 'Gemfile') ? 'it has neither bin/rails, config.ru nor an app of Sinatra' : '')
}
