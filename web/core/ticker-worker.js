// Says once a second that a second has passed.
setInterval(() => postMessage(0), 1000);
