// node --require ./loopback.cjs …: a server that names no host listens on 127.0.0.1 only.
"use strict";

const net = require("node:net");

const HERE = "127.0.0.1";
const listen = net.Server.prototype.listen;

net.Server.prototype.listen = function listenHere(...given) {
  const [first] = given;
  const isOptions = typeof first === "object" && first !== null && first.port !== undefined;
  if (isOptions && !first.host) {
    given[0] = { ...first, host: HERE };
  } else if (/^\d+$/.test(String(first)) && typeof given[1] !== "string") {
    const isLeftOpen = given.length > 1 && given[1] === undefined;
    given.splice(1, isLeftOpen ? 1 : 0, HERE);
  }
  return listen.apply(this, given);
};
