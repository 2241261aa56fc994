/** @file What every page starts with; each behaviour is a module that looks for its own elements. */

import { startCharts } from "./charts.js";
import { startChoices } from "./choices.js";
import { startCopying } from "./copy.js";
import { startFigures } from "./figures.js";
import { startFinding } from "./find.js";
import { startFitting } from "./fit.js";
import { startFrames } from "./frames.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { startLogMoment } from "./log_moment.js";
import { startMlflowLinks } from "./mlflow_links.js";
import { startSteps } from "./steps.js";
import { startTail } from "./tail.js";
import { startTheme } from "./theme.js";
import { startTimes } from "./times.js";
import { startRefreshing } from "./pieces.js";

document.documentElement.classList.add("script");
startMlflowLinks();
startTheme();
startTimes();
startCopying();
startKeys();
startFitting();
startTail();
startLogMoment();
startChoices();
startFrames();
startCharts();
startFigures();
startSteps();
startFinding();
startLive();
startRefreshing();
