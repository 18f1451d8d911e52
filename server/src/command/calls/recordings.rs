//! `server calls recordings`: what was recorded of a call, and its sound.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use call_transports::net::{Sound, SoundRules, TwilioRest};
use call_transports::twilio::recording::SoundFormat;
use clap::ValueEnum;
use tempfile::NamedTempFile;

use super::{found, record};
use crate::command::{Account, By, print};
use crate::config::hosts;
use crate::hearing::Hearing;
use crate::store::{CallRecord, Recordings, Scope, Store};

/// Lists the recordings of a call, and saves their sound
///
/// Sound is as it was said, and masked nowhere. Each that is saved is noted for the audit log before it is,
/// and a server that runs writes the note into its log.
#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// The carrier's name of the call
    #[arg(value_name = "SID")]
    call: String,

    /// Saves what can be heard into this folder, each in a file of its own, which must not exist yet and
    /// which nobody else on this machine may read
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,

    /// The form of the sound
    #[arg(long, value_name = "FORMAT", default_value = "wav")]
    format: GivenFormat,

    #[command(flatten)]
    account: Account,

    /// Where Twilio may send us on to for the sound: hosts with commas between them [default: none]
    #[arg(long, env, hide_env_values = true, value_name = "HOST[,HOST]")]
    twilio_media_hosts: Option<String>,

    #[command(flatten)]
    by: By,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum GivenFormat {
    Wav,
    Mp3,
}

impl Wanted {
    pub(super) async fn run(&self, store: &Store) -> anyhow::Result<()> {
        let call = found(store, &self.call).await?;
        let recordings = store.recordings_of(Scope::Every, &call.sid).await?;
        let lines: Vec<_> = record::recording_lines(&recordings).collect();
        if lines.is_empty() {
            return print("The carrier has told of no recording of this call.\n");
        }
        print(&(lines.join("\n") + "\n"))?;
        match &self.save {
            Some(folder) => self.save(store, &call, &recordings, folder).await,
            None => Ok(()),
        }
    }

    async fn save(
        &self,
        store: &Store,
        call: &CallRecord,
        recordings: &Recordings,
        folder: &Path,
    ) -> anyhow::Result<()> {
        let carrier = self.carrier()?;
        let (mut saved, mut missed) = (0, 0);
        for recording in &recordings.kept {
            let (by, way) = (self.by.name(), "command");
            let format = self.format();
            let hearing = Hearing { call, recording: &recording.sid, format, by, way };
            let file = folder.join(format!("{}.{}", recording.sid, format.word()));
            match keep(&hearing, recordings, &carrier, store, &file).await {
                Ok(bytes) => {
                    saved += 1;
                    print(&format!("{bytes} bytes are in {}\n", file.display()))?;
                }
                Err(error) => {
                    missed += 1;
                    eprintln!("{}: {error:#}", recording.sid);
                }
            }
        }
        match (saved, missed) {
            (0, 0) => bail!("no recording of the call is there any more"),
            (_, 0) => Ok(()),
            (_, missed) => bail!("{missed} of {} were not saved", saved + missed),
        }
    }

    fn format(&self) -> SoundFormat {
        match self.format {
            GivenFormat::Wav => SoundFormat::Wav,
            GivenFormat::Mp3 => SoundFormat::Mp3,
        }
    }

    fn carrier(&self) -> anyhow::Result<TwilioRest> {
        let carrier = self.account.carrier()?.ok_or_else(|| {
            anyhow!("--save needs the account: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN")
        })?;
        let hosts = match self.twilio_media_hosts.as_deref().map(str::trim) {
            None | Some("") => Vec::new(),
            Some(text) => hosts(text).ok_or_else(|| {
                anyhow!("TWILIO_MEDIA_HOSTS must be the name of a host, or several with commas")
            })?,
        };
        Ok(carrier.with_sound(SoundRules::from_hosts(hosts)))
    }
}

/// Saves the sound of one recording, whole or not at all. How many bytes.
async fn keep(
    hearing: &Hearing<'_>,
    recordings: &Recordings,
    carrier: &TwilioRest,
    store: &Store,
    file: &Path,
) -> anyhow::Result<u64> {
    if file.exists() {
        bail!("{} is there already", file.display());
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    // Readable for its owner alone, and gone if what follows fails.
    let mut begun = NamedTempFile::new_in(folder)
        .with_context(|| format!("nothing can be written in {}", folder.display()))?;
    let note = async |entry| store.note(&entry).await.is_ok();
    let sound = hearing.begin(recordings, carrier, note).await?;
    let bytes = write(sound, &mut begun).await?;
    begun.as_file().sync_all()?;
    begun
        .persist_noclobber(file)
        .with_context(|| format!("{} cannot be written", file.display()))?;
    File::open(folder)?.sync_all()?;
    Ok(bytes)
}

async fn write(mut sound: Sound, file: &mut NamedTempFile) -> anyhow::Result<u64> {
    let mut bytes = 0;
    while let Some(piece) = sound.piece().await? {
        file.write_all(&piece)?;
        bytes += piece.len() as u64;
    }
    Ok(bytes)
}
