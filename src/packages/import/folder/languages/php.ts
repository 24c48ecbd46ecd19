import {has} from '../../reading/files.ts'
import {projectApp, type ProjectReader} from './project.ts'

/** Programs of PHP: Laravel, and a front controller in `public`. */
export const php: ProjectReader = {
  appsIn(folder) {
    if (has(folder, 'artisan')) {
      const command = ['php', 'artisan', 'serve']
      return [projectApp(folder, {command, port: 8000, move: port => ({command: [...command, `--port=${port}`]})})]
    }
    if (!has(folder, 'composer.json') || !has(folder, 'public/index.php')) return []
    return [projectApp(folder, {command: serving(8000), port: 8000, move: port => ({command: serving(port)})})]
  },
  reasonOf: folder => (has(folder, 'composer.json') ? 'it has neither artisan nor public/index.php' : '')
}

const serving = (port: number): readonly string[] => ['php', '-S', `localhost:${port}`, '-t', 'public']
