// Where the page begins.

import { App } from "./app.js";
import { startTicking } from "./time.js";

startTicking();
new App().start();
