"""TRIPOD+AI: reporting of prediction models that use regression or machine learning.

Numbers and sections are those of the form: Collins G S, Moons K G M, Dhiman P, et al.
BMJ 2024;385:e078378, doi 10.1136/bmj-2023-078378, 27 items in 52 parts. The topics are
in our words; the form itself is the authority (docs/decisions/0020). The checklist for
abstracts, which item 2 refers to, is not drafted.
"""

from covid_cxr.report.documents import data_statements as data
from covid_cxr.report.documents import model_statements as model
from covid_cxr.report.documents import result_statements as results
from covid_cxr.report.documents.checklist import Question, answer_all
from covid_cxr.report.documents.document import Document
from covid_cxr.report.documents.evidence import Evidence

SOURCE = (
    "Draft after TRIPOD+AI (Collins et al., BMJ 2024;385:e078378, doi "
    "10.1136/bmj-2023-078378). Numbers are those of the form, topics are shortened: "
    "submit the official form, with page numbers."
)

TITLE, ABSTRACT, INTRODUCTION = "Title", "Abstract", "Introduction"
METHODS, OPEN_SCIENCE = "Methods", "Open science"
INVOLVEMENT, RESULTS = "Patient and public involvement", "Results"
DISCUSSION = "Discussion"

QUESTIONS = (
    Question(
        number="1",
        section=TITLE,
        topic="Development or evaluation, population and outcome",
        told=(model.study_type,),
        asked="the title, with the target population",
    ),
    Question(
        number="2",
        section=ABSTRACT,
        topic="Abstract, by its own checklist",
        asked="the abstract, by TRIPOD+AI for Abstracts",
    ),
    Question(
        number="3a",
        section=INTRODUCTION,
        topic="Healthcare context, rationale, earlier models",
        asked="context, rationale and earlier models",
    ),
    Question(
        number="3b",
        section=INTRODUCTION,
        topic="Target population, purpose and users",
        told=(model.not_a_device,),
        asked="target population, place in the care pathway, intended users",
    ),
    Question(
        number="3c",
        section=INTRODUCTION,
        topic="Known inequalities in health",
        asked="known inequalities between sociodemographic groups",
    ),
    Question(
        number="4",
        section=INTRODUCTION,
        topic="Objectives",
        told=(model.study_type,),
        asked="the objectives",
    ),
    Question(
        number="5a",
        section=METHODS,
        topic="Sources of the data, why these, how representative",
        told=(data.sources,),
        asked="rationale, and how representative the data are",
    ),
    Question(
        number="5b",
        section=METHODS,
        topic="Dates of the data",
        asked="first and last date of the radiographs",
    ),
    Question(
        number="6a",
        section=METHODS,
        topic="Setting, number and place of the centres",
        told=(data.sites,),
        asked="setting and places of the centres",
    ),
    Question(
        number="6b",
        section=METHODS,
        topic="Eligibility",
        told=(data.eligibility,),
        asked="criteria by which patients came into the cohort",
    ),
    Question(
        number="6c",
        section=METHODS,
        topic="Treatments",
        asked="treatments before the radiograph, such as ventilation, if relevant",
    ),
    Question(
        number="7",
        section=METHODS,
        topic="Preparation and checking of the data",
        told=(data.preprocessing, data.participant_flow),
        asked="whether it was alike across sociodemographic groups",
    ),
    Question(
        number="8a",
        section=METHODS,
        topic="Outcome, how and when it was assessed",
        told=(data.reference_standard,),
        asked="time between test and radiograph, and whether groups were tested alike",
    ),
    Question(
        number="8b",
        section=METHODS,
        topic="Who assessed the outcome, if by judgement",
        asked="qualification and demographics of those who judged, or that none did",
    ),
    Question(
        number="8c",
        section=METHODS,
        topic="Blinding of the outcome",
        asked="whether the outcome was assessed without sight of the radiograph",
    ),
    Question(
        number="9a",
        section=METHODS,
        topic="Choice of predictors",
        told=(data.predictors,),
    ),
    Question(
        number="9b",
        section=METHODS,
        topic="Definition and measurement of predictors",
        told=(data.predictors, data.views),
        asked="equipment, and when radiographs were taken",
    ),
    Question(
        number="9c",
        section=METHODS,
        topic="Who assessed predictors, if by judgement",
        told=(data.predictors,),
    ),
    Question(
        number="10",
        section=METHODS,
        topic="Size of the study",
        told=(results.detectable,),
        asked="how the size was arrived at, and whether it suffices",
    ),
    Question(
        number="11",
        section=METHODS,
        topic="Missing data",
        told=(data.missing_values, data.eligibility),
    ),
    Question(
        number="12a",
        section=METHODS,
        topic="Use of the data: parts",
        told=(data.partitions, data.held_apart),
    ),
    Question(
        number="12b",
        section=METHODS,
        topic="Handling of predictors",
        told=(data.preprocessing,),
    ),
    Question(
        number="12c",
        section=METHODS,
        topic="Type of model, how it was built and validated internally",
        told=(model.network, model.initialisation, model.training, model.selection),
    ),
    Question(
        number="12d",
        section=METHODS,
        topic="Heterogeneity across clusters",
        told=(results.uncertainty, results.site_subgroups),
    ),
    Question(
        number="12e",
        section=METHODS,
        topic="Measures and plots of performance, comparison of models",
        told=(results.metrics, results.uncertainty),
    ),
    Question(
        number="12f",
        section=METHODS,
        topic="Updating of the model",
        told=(results.recalibration,),
    ),
    Question(
        number="12g",
        section=METHODS,
        topic="How predictions were calculated",
        told=(model.weights, model.output),
    ),
    Question(
        number="13",
        section=METHODS,
        topic="Class imbalance",
        told=(model.class_imbalance,),
    ),
    Question(
        number="14",
        section=METHODS,
        topic="Fairness",
        told=(results.subgroups,),
        asked="approaches to fairness, and their rationale",
    ),
    Question(
        number="15",
        section=METHODS,
        topic="Output, classification and thresholds",
        told=(model.output, results.thresholds),
    ),
    Question(
        number="16",
        section=METHODS,
        topic="Differences between development and evaluation data",
        told=(data.training_against_test,),
    ),
    Question(
        number="17",
        section=METHODS,
        topic="Ethical approval and consent",
        asked="ethics committee, its decision, consent or waiver",
    ),
    Question(
        number="18a",
        section=OPEN_SCIENCE,
        topic="Funding",
        asked="funding, and the funders' role",
    ),
    Question(
        number="18b",
        section=OPEN_SCIENCE,
        topic="Conflicts of interest",
        asked="conflicts of interest of all authors",
    ),
    Question(
        number="18c",
        section=OPEN_SCIENCE,
        topic="Protocol",
        told=(model.protocol,),
        asked="where the protocol is, or that none was written",
    ),
    Question(
        number="18d",
        section=OPEN_SCIENCE,
        topic="Registration",
        asked="register and number, or that the study was not registered",
    ),
    Question(
        number="18e",
        section=OPEN_SCIENCE,
        topic="Sharing of data",
        told=(data.sources,),
        asked="how the group's own data can be had",
    ),
    Question(
        number="18f",
        section=OPEN_SCIENCE,
        topic="Sharing of code",
        told=(model.code,),
        asked="where this code is published",
    ),
    Question(
        number="19",
        section=INVOLVEMENT,
        topic="Involvement of patients and the public",
        asked="their involvement, or that there was none",
    ),
    Question(
        number="20a",
        section=RESULTS,
        topic="Flow of participants, with and without the outcome",
        told=(data.participant_flow, data.outcome_counts),
    ),
    Question(
        number="20b",
        section=RESULTS,
        topic="Characteristics, overall and by source",
        told=(data.demographics, data.missing_values),
        asked="dates, treatments, and clinical characteristics",
    ),
    Question(
        number="20c",
        section=RESULTS,
        topic="Evaluation data beside development data",
        told=(data.demographics,),
    ),
    Question(
        number="21",
        section=RESULTS,
        topic="Participants and outcomes in each analysis",
        told=(data.outcome_counts,),
    ),
    Question(
        number="22",
        section=RESULTS,
        topic="The full model, for use on new patients",
        told=(model.network, model.weights),
        asked="where the file can be had, and restrictions on its use",
    ),
    Question(
        number="23a",
        section=RESULTS,
        topic="Performance with intervals, also by subgroup",
        told=(
            results.performance,
            results.operating_points,
            results.calibration,
            results.subgroups,
        ),
    ),
    Question(
        number="23b",
        section=RESULTS,
        topic="Heterogeneity of performance across clusters",
        told=(results.site_subgroups, results.unseen_sites),
    ),
    Question(
        number="24",
        section=RESULTS,
        topic="Results of updating",
        told=(results.calibration,),
    ),
    Question(
        number="25",
        section=DISCUSSION,
        topic="Interpretation, fairness included",
        asked="interpretation, beside earlier studies",
    ),
    Question(
        number="26",
        section=DISCUSSION,
        topic="Limitations",
        told=(results.limitations,),
        asked="limitations of the cohort that the run cannot know",
    ),
    Question(
        number="27a",
        section=DISCUSSION,
        topic="Poor or missing input in use",
        told=(data.unreadable,),
        asked="what a user should do with radiographs of poor quality",
    ),
    Question(
        number="27b",
        section=DISCUSSION,
        topic="What users have to do and to know",
        asked="handling by users, and the expertise it takes",
    ),
    Question(
        number="27c",
        section=DISCUSSION,
        topic="Next steps",
        asked="next steps of research, with a view to other hospitals",
    ),
)


def fill_tripod_ai(evidence: Evidence) -> Document:
    """Return the draft of the TRIPOD+AI form.

    Args:
        evidence: What the run left.
    """
    return Document(
        name="tripod_ai",
        title="TRIPOD+AI: draft",
        source=SOURCE,
        notices=data.notices(evidence),
        items=answer_all(QUESTIONS, evidence),
    )
