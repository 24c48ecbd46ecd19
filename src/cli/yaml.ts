// A file of its own, so that only `list -o yaml` loads the library.
export {stringify} from 'yaml'
