// The connection to a server, with the library for its messages. Loaded with the first request.
export { ServeConnection } from "@runforge/client/serve";
