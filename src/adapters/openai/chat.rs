//! A list of models as one: attempts, fallback, back-off and circuit breakers, within one deadline.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::SignedDuration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::{Instrument, debug, field, info_span, warn};

use super::breaker::{Breaker, Pass};
use super::dialect::{Answer, Dialect, read};
use super::endpoint::Endpoint;
use super::fault::Fault;
use super::plan::{Plan, Step};
use super::{SetupError, tokens, unsigned};
use crate::config::{Model, ModelCalls};
use crate::ports::model::{ChatError, ChatModel, ChatReply, ChatRequest};

/// Language models, tried in the configured order.
pub struct OpenAiChat {
    models: Vec<OneModel>,
    attempts: u32,
    within: Duration,
    at_once: Semaphore,
}

impl OpenAiChat {
    /// Prepares calls to `models`; nothing is sent yet.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(models: &[Model], calls: &ModelCalls) -> Result<Self, SetupError> {
        if models.is_empty() {
            return Err(SetupError::NoModel);
        }
        Ok(Self {
            models: models.iter().map(|model| OneModel::new(model, calls)).collect::<Result<_, _>>()?,
            attempts: calls.attempts,
            within: unsigned(calls.within),
            at_once: Semaphore::new(calls.at_once.clamp(1, Semaphore::MAX_PERMITS)),
        })
    }

    /// Asks model after model as the plan says, until one answers or nothing is left to try.
    async fn ask(&self, request: &ChatRequest, began: Instant) -> Result<(usize, Answer), ChatError> {
        let until = began + unsigned(request.deadline).min(self.within);
        let mut plan = Plan::new(self.attempts, until, jitter(), self.models.iter().map(|model| model.ready_at(began)));
        let mut tally = vec![Tally::default(); self.models.len()];
        let mut attempt = 0_u32;
        while let Step::Ask { lane, at } = plan.next(Instant::now(), |lane| self.models[lane].allows(Instant::now())) {
            tokio::time::sleep_until(at.into()).await;
            let Ok(Ok(_permit)) =
                timeout(until.saturating_duration_since(Instant::now()), self.at_once.acquire()).await
            else {
                return Err(ChatError::Unavailable("all calls that may run at a time are taken".to_owned()));
            };
            let model = &self.models[lane];
            let Some(verdict) = model.admit() else {
                continue;
            };
            plan.begun();
            attempt += 1;
            match model.attempt(request, attempt, until).await {
                Ok(answer) => {
                    verdict.give(None);
                    return Ok((lane, answer));
                }
                Err(fault) => {
                    plan.failed(lane, &fault, Instant::now());
                    tally[lane] = Tally { attempts: tally[lane].attempts + 1, last: Some(fault.clone()) };
                    verdict.give(Some(fault));
                }
            }
        }
        Err(self.failure(&tally))
    }

    /// Puts together why nobody answered.
    fn failure(&self, tally: &[Tally]) -> ChatError {
        let mut lines = Vec::new();
        let mut faults = Vec::new();
        for (model, tally) in self.models.iter().zip(tally) {
            if let Some(fault) = &tally.last {
                lines.push(match tally.attempts {
                    1 => format!("{}: {fault}", model.name),
                    attempts => format!("{}: {fault} (attempts: {attempts})", model.name),
                });
                faults.push(fault.clone());
            } else if let Some(fault) = model.resting() {
                lines.push(format!("{}: rests after failures, the last: {fault}", model.name));
                faults.push(fault);
            }
        }
        if lines.is_empty() {
            return ChatError::Unavailable("no time was left to ask".to_owned());
        }
        let why = lines.join("; ");
        let refused = |fault: &Fault| {
            matches!(
                fault,
                Fault::Refused(_) | Fault::NotFound | Fault::Rejected(_) | Fault::TooLong | Fault::Unsupported(_)
            )
        };
        if faults.iter().all(refused) {
            ChatError::Refused(why)
        } else if faults.iter().any(|fault| matches!(fault, Fault::Unusable(_) | Fault::Empty)) {
            ChatError::Malformed(why)
        } else {
            ChatError::Unavailable(why)
        }
    }
}

impl std::fmt::Debug for OpenAiChat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.models.iter().map(|model| model.name.as_str()).collect();
        f.debug_struct("OpenAiChat").field("models", &names).finish_non_exhaustive()
    }
}

#[async_trait]
impl ChatModel for OpenAiChat {
    async fn complete(&self, request: &ChatRequest) -> Result<ChatReply, ChatError> {
        let began = Instant::now();
        let (lane, answer) = self.ask(request, began).await?;
        Ok(ChatReply {
            json: answer.text,
            model: self.models[lane].name.clone(),
            tokens_in: answer.tokens_in,
            tokens_out: answer.tokens_out,
            took: SignedDuration::try_from(began.elapsed()).unwrap_or(SignedDuration::MAX),
        })
    }

    fn count_tokens(&self, text: &str) -> usize {
        tokens::count_tokens(text)
    }

    fn name(&self) -> &str {
        &self.models[0].name
    }
}

/// How often one model was asked in one call, and what came of it.
#[derive(Debug, Clone, Default)]
struct Tally {
    attempts: u32,
    last: Option<Fault>,
}

/// One model: where it is, what it understands, how it fares.
struct OneModel {
    name: String,
    endpoint: Endpoint,
    within: Duration,
    dialect: Mutex<Dialect>,
    health: Mutex<Health>,
}

/// What all calls together know of a model.
struct Health {
    breaker: Breaker,
    /// The model asked to be left alone until then.
    busy_until: Option<Instant>,
    last_fault: Option<Fault>,
}

impl OneModel {
    fn new(model: &Model, calls: &ModelCalls) -> Result<Self, SetupError> {
        let within = unsigned(model.attempt_within);
        let breaker = Breaker::new(calls.breaker_failures, unsigned(calls.breaker_rest));
        Ok(Self {
            name: model.name.clone(),
            endpoint: Endpoint::new(&model.url, &model.key, within)?,
            within,
            dialect: Mutex::default(),
            health: Mutex::new(Health { breaker, busy_until: None, last_fault: None }),
        })
    }

    /// From when the model may be asked.
    fn ready_at(&self, now: Instant) -> Instant {
        lock(&self.health).busy_until.map_or(now, |until| until.max(now))
    }

    fn allows(&self, now: Instant) -> bool {
        lock(&self.health).breaker.allows(now)
    }

    fn admit(&self) -> Option<Verdict<'_>> {
        let pass = lock(&self.health).breaker.admit(Instant::now())?;
        Some(Verdict { health: &self.health, pass: Some(pass) })
    }

    /// Why the breaker keeps requests away, if it does.
    fn resting(&self) -> Option<Fault> {
        let health = lock(&self.health);
        health.last_fault.clone().filter(|_| !health.breaker.allows(Instant::now()))
    }

    /// One attempt, however many parameters have to be left out for it.
    async fn attempt(&self, request: &ChatRequest, attempt: u32, until: Instant) -> Result<Answer, Fault> {
        let span = info_span!(
            "adapter.openai.chat",
            model = self.name,
            task = request.task,
            attempt,
            latency_ms = field::Empty,
            tokens_in = field::Empty,
            tokens_out = field::Empty,
        );
        let began = Instant::now();
        let within = self.within.min(until.saturating_duration_since(began));
        let speak = self.speak(request).instrument(span.clone());
        let outcome = timeout(within, speak).await.unwrap_or_else(|_| Err(Fault::timed_out()));
        span.record("latency_ms", u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
        match &outcome {
            Ok(answer) => {
                span.record("tokens_in", answer.tokens_in);
                span.record("tokens_out", answer.tokens_out);
                span.in_scope(|| debug!("the model answered"));
            }
            Err(fault) => span.in_scope(|| warn!(%fault, "the model did not answer")),
        }
        outcome
    }

    /// Asks in the dialect known so far; a refused parameter is left out from then on, and the question put again.
    async fn speak(&self, request: &ChatRequest) -> Result<Answer, Fault> {
        loop {
            let dialect = *lock(&self.dialect);
            match self.endpoint.chat(dialect.request(&self.name, request)).await {
                Ok(value) => return read(value, request),
                Err(Fault::Unsupported(parameter)) if dialect.without(parameter) != dialect => {
                    warn!(model = self.name, %parameter, "the endpoint does not take a parameter: it is left out");
                    let mut known = lock(&self.dialect);
                    *known = known.without(parameter);
                }
                Err(fault) => return Err(fault),
            }
        }
    }
}

/// A request that is under way. Dropped without a verdict, because nobody waits any more, it counts as never made.
struct Verdict<'a> {
    health: &'a Mutex<Health>,
    pass: Option<Pass>,
}

impl Verdict<'_> {
    /// Tells the breaker how the request ended. That a model can't use this very request is no fault of its health.
    fn give(mut self, fault: Option<Fault>) {
        let Some(pass) = self.pass.take() else {
            return;
        };
        let mut health = lock(self.health);
        let now = Instant::now();
        if let Some(Fault::Busy { after: Some(after), .. }) = &fault {
            health.busy_until = now.checked_add(*after);
        }
        match fault {
            Some(Fault::Down(_) | Fault::Empty | Fault::Busy { .. } | Fault::Refused(_) | Fault::NotFound) => {
                health.breaker.failed(pass, now);
            }
            None | Some(Fault::Rejected(_) | Fault::TooLong | Fault::Unsupported(_) | Fault::Unusable(_)) => {
                health.breaker.succeeded(pass);
            }
        }
        health.last_fault = fault;
    }
}

impl Drop for Verdict<'_> {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            lock(self.health).breaker.abandoned(pass, Instant::now());
        }
    }
}

/// A number from 0 to 1. Without randomness, callers only come back a little more together.
fn jitter() -> f64 {
    getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX))
}

/// Every state behind these locks is whole between two statements: a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
