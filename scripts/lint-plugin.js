import sharedWork from './shared-work.js'
import userWords from './user-words.js'

export default {meta: {name: 'pillion'}, rules: {'shared-work': sharedWork, 'user-words': userWords}}
