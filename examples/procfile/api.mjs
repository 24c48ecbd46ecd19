// Knows what is in season. It takes a second to start, as services do.
import {createServer} from 'node:http'

const season = ['apples', 'pears', 'quinces']

setTimeout(() => {
  createServer((_request, response) => response.end(season.join(', '))).listen(process.env.PORT)
  console.log(`${season.length} kinds are in season`)
}, 1000)
